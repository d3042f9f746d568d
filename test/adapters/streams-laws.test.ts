import fc from 'fast-check';
import { from, Observable, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  boundedBuffer,
  coalesceRanges,
  scanPageMap,
  withinRange,
  type Buffered,
} from '../../adapters/streams/index.js';
import type { Notification, PageRange, Told } from '../../core/index.js';

const SEED = Number(process.env['MEMFILE_SEED'] ?? 20220118);
const RUNS = Number(process.env['MEMFILE_RUNS'] ?? 1500);
const PAGES = 24;

const waitUntil = (): void => {};

const range = fc
  .tuple(fc.nat(PAGES - 1), fc.nat(PAGES - 1))
  .map(([a, b]): PageRange => ({ start: Math.min(a, b), end: Math.max(a, b) + 1 }));

/** Sorted ranges that do not touch. */
const ranges = fc
  .uniqueArray(fc.nat(PAGES - 1), { maxLength: 8 })
  .map((pages) => rangesOf(new Set(pages)));

const told = fc.record({
  type: fc.constantFrom('prepare', 'fallocate', 'rollback', 'invalidate', 'invalidateEnd'),
  range,
  reason: fc.constantFrom('fallocate', 'punch'),
  kept: ranges,
});

/** What a notification may be, without a position; one in eight is another snapshot. */
const step = fc.oneof({ weight: 7, arbitrary: told }, { weight: 1, arbitrary: ranges });

/** Any sequence at all, possible or not: operators must not need a well-behaved producer. */
const sequence = fc.tuple(ranges, fc.array(step, { maxLength: 40 })).map(([first, steps]) =>
  [first, ...steps].map((it, i): Notification => {
    const position = i + 1;
    if (Array.isArray(it)) return { type: 'snapshot', ranges: it, position };
    const { type, reason } = it;
    const { start, end } = it.range;
    const event: Told = { type, start, end, position, reason, waitUntil };
    const kept = it.kept.flatMap((stays) => cut(stays, start, end));
    if (type !== 'invalidateEnd' || kept.length === 0) return event as Notification;
    return { ...event, kept } as Notification;
  }),
);

function cut(stays: PageRange, start: number, end: number): PageRange[] {
  const clipped = { start: Math.max(stays.start, start), end: Math.min(stays.end, end) };
  return clipped.start < clipped.end ? [clipped] : [];
}

function rangesOf(pages: ReadonlySet<number>): PageRange[] {
  const found: { start: number; end: number }[] = [];
  for (let page = 0; page < PAGES; page++) {
    if (!pages.has(page)) continue;
    if (found.at(-1)?.end === page) found.at(-1)!.end++;
    else found.push({ start: page, end: page + 1 });
  }
  return found;
}

/** The page map, page by page: another way than that of the operators. */
function fold(items: readonly Buffered[]): PageRange[] {
  const pages = new Set<number>();
  const change = (all: readonly PageRange[], how: 'add' | 'delete'): void => {
    for (const { start, end } of all)
      for (let page = start; page < Math.min(end, PAGES); page++) pages[how](page);
  };
  for (const item of items) {
    switch (item.type) {
      case 'snapshot':
        pages.clear();
        change(item.ranges, 'add');
        break;
      case 'fallocate':
        change([item], 'add');
        break;
      case 'invalidateEnd':
        change([item], 'delete');
        change(item.kept ?? [], 'add');
        break;
      case 'merged':
        change(item.left, 'delete');
        change(item.populated, 'add');
        break;
      default:
    }
  }
  return rangesOf(pages);
}

/** Lets everything that was started go on as far as it can. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn++) await Promise.resolve();
};

const lawful = (title: string): string => `${title} (${RUNS} sequences, seed ${SEED})`;

const settings = { seed: SEED, numRuns: RUNS };

/** After which notifications the consumer is done with what it has in its hands. */
const pace = fc.array(fc.boolean(), { maxLength: 41 });
const capacity = fc.integer({ min: 1, max: 6 });

/** Has one item in its hands until it is told to be done with it. */
class Consumer {
  readonly handed: Buffered[] = [];
  #work: Subject<never> | undefined;

  take(item: Buffered): Subject<never> {
    expect(this.#work).toBeUndefined();
    this.handed.push(item);
    this.#work = new Subject<never>();
    return this.#work;
  }

  done(): void {
    const work = this.#work;
    this.#work = undefined;
    work?.complete();
  }

  drain(): void {
    while (this.#work !== undefined) this.done();
  }
}

/** Of each type and reason: the pages told of, apart from what snapshots say. */
function pagesTold(notifications: readonly Notification[]): Record<string, PageRange[]> {
  const pages: Record<string, Set<number>> = {};
  for (const item of notifications) {
    if (item.type === 'snapshot') continue;
    const own = (pages[`${item.type} ${item.reason}`] ??= new Set());
    for (let page = item.start; page < item.end; page++) own.add(page);
  }
  return Object.fromEntries(
    Object.entries(pages).map(([what, own]) => [what, rangesOf(own)] as const),
  );
}

describe('streams fold to the same page map', () => {
  it(lawful('scanPageMap, at every step'), () => {
    fc.assert(
      fc.property(sequence, (notifications) => {
        let map: readonly PageRange[] = [];
        const source = new Subject<Notification>();
        source.pipe(scanPageMap()).subscribe((pages) => (map = pages));
        for (const [i, notification] of notifications.entries()) {
          source.next(notification);
          expect(map).toEqual(fold(notifications.slice(0, i + 1)));
        }
      }),
      settings,
    );
  });

  it(lawful('withinRange, of its pages'), () => {
    fc.assert(
      fc.property(sequence, range, (notifications, within) => {
        const seen: Notification[] = [];
        from(notifications)
          .pipe(withinRange(within))
          .subscribe((cut) => seen.push(cut));
        const all = fold(notifications);
        const own = all.flatMap((pages) => cut(pages, within.start, within.end));
        expect(fold(seen)).toEqual(own);
        for (const item of seen) {
          const parts = item.type === 'snapshot' ? item.ranges : [item, ...(item.kept ?? [])];
          for (const { start, end } of parts) {
            expect(within.start <= start && start < end && end <= within.end).toBe(true);
          }
        }
      }),
      settings,
    );
  });

  it(lawful('coalesceRanges, however the turns fall'), async () => {
    await fc.assert(
      fc.asyncProperty(sequence, fc.array(fc.boolean()), async (notifications, breaks) => {
        const source = new Subject<Notification>();
        const seen: Notification[] = [];
        source.pipe(coalesceRanges()).subscribe((joined) => seen.push(joined));
        for (const [i, notification] of notifications.entries()) {
          source.next(notification);
          if (breaks[i] !== true) continue;
          await settle();
          expect(fold(seen)).toEqual(fold(notifications.slice(0, i + 1)));
        }
        source.complete();
        expect(fold(seen)).toEqual(fold(notifications));
        const positions = seen.map(({ position }) => position);
        expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
        expect(pagesTold(seen)).toEqual(pagesTold(notifications));
      }),
      settings,
    );
  });

  it(lawful('boundedBuffer merging, whatever the consumer does'), () => {
    fc.assert(
      fc.property(sequence, pace, capacity, (notifications, pace, capacity) => {
        const source = new Subject<Notification>();
        const consumer = new Consumer();
        source
          .pipe(boundedBuffer({ capacity, policy: 'merge' }, (item) => consumer.take(item)))
          .subscribe();
        for (const [i, notification] of notifications.entries()) {
          source.next(notification);
          if (pace[i] === true) consumer.done();
        }
        const before = consumer.handed.length;
        consumer.drain();
        expect(consumer.handed.length - before).toBeLessThanOrEqual(capacity);
        expect(fold(consumer.handed)).toEqual(fold(notifications));
      }),
      settings,
    );
  });

  it(lawful('boundedBuffer dropping, from a source that starts with a snapshot'), () => {
    fc.assert(
      fc.property(sequence, pace, capacity, (notifications, pace, capacity) => {
        const hot = new Subject<Notification>();
        let told: Notification[] = [];
        const source = new Observable<Notification>((subscriber) => {
          const position = told.length;
          subscriber.next({ type: 'snapshot', ranges: fold(told), position });
          return hot.subscribe(subscriber);
        });
        const consumer = new Consumer();
        source
          .pipe(boundedBuffer({ capacity, policy: 'drop' }, (item) => consumer.take(item)))
          .subscribe();
        for (const [i, notification] of notifications.entries()) {
          told = [...told, notification];
          hot.next(notification);
          if (pace[i] === true) consumer.done();
        }
        const before = consumer.handed.length;
        consumer.drain();
        // What waited, the mark and, from the source subscribed to anew, its snapshot.
        expect(consumer.handed.length - before).toBeLessThanOrEqual(capacity + 2);
        expect(fold(consumer.handed)).toEqual(fold(notifications));
        for (const [i, item] of consumer.handed.entries()) {
          if (item.type !== 'gap') continue;
          expect(item.missed).toBe(item.to - item.from + 1);
          expect(consumer.handed[i + 1]).toMatchObject({ type: 'snapshot' });
        }
      }),
      settings,
    );
  });
});
