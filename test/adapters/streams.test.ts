import { map, NEVER, of, Subject, throwError, timer, type Observable } from 'rxjs';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import {
  boundedBuffer,
  coalesceRanges,
  scanPageMap,
  withinRange,
  type Buffered,
  type BufferPolicy,
} from '../../adapters/streams/index.js';
import {
  MAX_PAGES,
  MemfileError,
  type Notification,
  type PageRange,
  type Reason,
  type Told,
} from '../../core/index.js';

const waitUntil = (): void => {};

const told = (
  type: Told['type'],
  start: number,
  end: number,
  position: number,
  reason: Reason = type === 'fallocate' ? 'fallocate' : 'punch',
): Notification => ({ type, start, end, position, reason, waitUntil });

const snapshot = (position: number, ...ranges: readonly PageRange[]): Notification => ({
  type: 'snapshot',
  ranges,
  position,
});

/** One line for each item, so that marbles carry words. */
const brief = (item: Buffered): string => {
  const list = (ranges: readonly PageRange[]): string =>
    ranges.map(({ start, end }) => `${start}-${end}`).join(' ');
  switch (item.type) {
    case 'snapshot':
      return `snapshot [${list(item.ranges)}] @${item.position}`;
    case 'merged':
      return (
        `merged ${item.notifications} left [${list(item.left)}] leaving [${list(item.leaving)}] ` +
        `populated [${list(item.populated)}] @${item.position}`
      );
    case 'gap':
      return `gap ${item.missed} of ${item.from}..${item.to}`;
    default: {
      const kept = item.kept === undefined ? '' : ` kept [${list(item.kept)}]`;
      return `${item.type} ${item.start}-${item.end} ${item.reason}${kept} @${item.position}`;
    }
  }
};

const marbles = (body: (helpers: RunHelpers) => void): void =>
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(body);

const source: Readonly<Record<string, Notification>> = {
  s: snapshot(1, { start: 0, end: 2 }, { start: 6, end: 9 }),
  a: told('fallocate', 0, 2, 2),
  b: told('fallocate', 2, 4, 3),
  c: told('fallocate', 8, 9, 4),
  d: told('fallocate', 4, 8, 5),
  i: told('invalidate', 0, 4, 6),
  e: told('invalidateEnd', 0, 4, 7),
  t: told('invalidate', 4, 6, 8, 'truncate'),
};

describe('withinRange', () => {
  it('clips what overlaps, snapshot included, and drops the rest', () => {
    marbles(({ hot, expectObservable }) => {
      const clipped = hot('s-a-b-c-d-i-e-|', source).pipe(
        withinRange({ start: 3, end: 7 }),
        map(brief),
      );
      expectObservable(clipped).toBe('s---b---d-i-e-|', {
        s: 'snapshot [6-7] @1',
        b: 'fallocate 3-4 fallocate @3',
        d: 'fallocate 4-7 fallocate @5',
        i: 'invalidate 3-4 punch @6',
        e: 'invalidateEnd 3-4 punch @7',
      });
    });
  });

  it('clips kept, and leaves none out that is empty', () => {
    const kept = [
      { start: 0, end: 2 },
      { start: 5, end: 9 },
    ];
    const end = { ...told('invalidateEnd', 0, 10, 4), kept } as Notification;
    const seen: Notification[] = [];
    of(end)
      .pipe(withinRange({ start: 1, end: 6 }))
      .subscribe((cut) => seen.push(cut));
    of(end)
      .pipe(withinRange({ start: 2, end: 5 }))
      .subscribe((cut) => seen.push(cut));
    expect(seen.map(brief)).toEqual([
      'invalidateEnd 1-6 punch kept [1-2 5-6] @4',
      'invalidateEnd 2-5 punch @4',
    ]);
    expect(seen[1]).not.toHaveProperty('kept');
  });

  it('keeps waitUntil', () => {
    const waited: unknown[] = [];
    const begin = { ...told('invalidate', 0, 4, 1), waitUntil: (it: unknown) => waited.push(it) };
    const promise = Promise.resolve();
    of(begin as Notification)
      .pipe(withinRange({ start: 2, end: 9 }))
      .subscribe((cut) => cut.type !== 'snapshot' && cut.waitUntil(promise));
    expect(waited).toEqual([promise]);
  });

  it('refuses a range that is none', () => {
    expect(() => withinRange({ start: 3, end: 3 })).toThrow(/EINVAL.*withinRange/);
    expect(() => withinRange({ start: -1, end: 3 })).toThrow(MemfileError);
  });
});

describe('coalesceRanges', () => {
  it('joins what touches in one turn, whatever came between, with the last position', () => {
    marbles(({ hot, expectObservable }) => {
      const joined = hot('(abcd)', source).pipe(coalesceRanges(), map(brief));
      expectObservable(joined).toBe('x', { x: 'fallocate 0-9 fallocate @5' });
      const apart = hot('(acb)', source).pipe(coalesceRanges(), map(brief));
      expectObservable(apart).toBe('(cb)', {
        c: 'fallocate 8-9 fallocate @4',
        b: 'fallocate 0-4 fallocate @3',
      });
    });
  });

  it('emits at the end of the turn, each turn on its own', () => {
    marbles(({ hot, expectObservable }) => {
      const joined = hot('a-b-(cd)-|', source).pipe(coalesceRanges(), map(brief));
      expectObservable(joined).toBe('a-b-d----|', {
        a: 'fallocate 0-2 fallocate @2',
        b: 'fallocate 2-4 fallocate @3',
        d: 'fallocate 4-9 fallocate @5',
      });
    });
  });

  it('takes the turns of the scheduler given', () => {
    marbles(({ hot, expectObservable }) => {
      const scheduler = new TestScheduler(() => {});
      const joined = hot('a-b-|', source).pipe(coalesceRanges(scheduler), map(brief));
      expectObservable(joined).toBe('----(x|)', { x: 'fallocate 0-4 fallocate @3' });
    });
  });

  it('keeps the order of types and reasons, and of snapshots', () => {
    marbles(({ hot, expectObservable }) => {
      const ordered = hot('(abitesd|)', source).pipe(coalesceRanges(), map(brief));
      expectObservable(ordered).toBe('(aitesd|)', {
        a: 'fallocate 0-4 fallocate @3',
        i: 'invalidate 0-4 punch @6',
        t: 'invalidate 4-6 truncate @8',
        e: 'invalidateEnd 0-4 punch @7',
        s: 'snapshot [0-2 6-9] @1',
        d: 'fallocate 4-8 fallocate @5',
      });
    });
  });

  it('emits what waits before completion and before an error', () => {
    marbles(({ hot, expectObservable }) => {
      const x = { x: 'fallocate 0-4 fallocate @3' };
      expectObservable(hot('(ab|)', source).pipe(coalesceRanges(), map(brief))).toBe('(x|)', x);
      expectObservable(hot('(ab#)', source).pipe(coalesceRanges(), map(brief))).toBe('(x#)', x);
    });
  });

  it('lets the later end say what stayed', () => {
    const ends = [
      { ...told('invalidateEnd', 0, 4, 1), kept: [{ start: 0, end: 2 }] },
      { ...told('invalidateEnd', 1, 6, 2), kept: [{ start: 2, end: 3 }] },
    ] as Notification[];
    const seen: string[] = [];
    of(...ends)
      .pipe(coalesceRanges(), map(brief))
      .subscribe((line) => seen.push(line));
    expect(seen).toEqual(['invalidateEnd 0-6 punch kept [0-1 2-3] @2']);
  });

  it('says that nothing can be waited for', () => {
    of(source['a']!)
      .pipe(coalesceRanges())
      .subscribe((joined) => {
        const wait = (): unknown => joined.type !== 'snapshot' && joined.waitUntil(NEVER as never);
        expect(wait).toThrow(/EINVAL.*attached directly/);
      });
    expect.assertions(1);
  });

  it('holds 64 ranges at most, and stops when nobody listens any more', () => {
    const seen: Notification[] = [];
    const subject = new Subject<Notification>();
    const subscription = subject.pipe(coalesceRanges()).subscribe((n) => seen.push(n));
    for (let n = 0; n < 65; n++) subject.next(told('fallocate', n * 2, n * 2 + 1, n));
    expect(seen).toHaveLength(64);
    subscription.unsubscribe();
    expect(subject.observed).toBe(false);
  });
});

describe('scanPageMap', () => {
  it('emits the map at the snapshot and after each change', () => {
    marbles(({ hot, expectObservable }) => {
      const maps = hot('s-a-b-d-i-e-|', source).pipe(
        scanPageMap(),
        map((ranges) => ranges.map(({ start, end }) => `${start}-${end}`).join(' ')),
      );
      expectObservable(maps).toBe('s---b-d---e-|', {
        s: '0-2 6-9',
        b: '0-4 6-9',
        d: '0-9',
        e: '4-9',
      });
    });
  });

  it('counts what stayed as there, and starts over from another snapshot', () => {
    marbles(({ hot, expectObservable }) => {
      const kept = [{ start: 0, end: 2 }];
      const more = {
        k: { ...told('invalidateEnd', 0, 9, 8), kept } as Notification,
        z: snapshot(9),
      };
      const maps = hot('skz', { ...source, ...more }).pipe(scanPageMap());
      expectObservable(maps).toBe('skz', {
        s: [
          { start: 0, end: 2 },
          { start: 6, end: 9 },
        ],
        k: [{ start: 0, end: 2 }],
        z: [],
      });
    });
  });

  it('never touches a list that it emitted', () => {
    const seen: (readonly PageRange[])[] = [];
    of(source['s']!, source['b']!, source['e']!)
      .pipe(scanPageMap())
      .subscribe((pages) => seen.push(pages));
    expect(seen.map((pages) => pages.length)).toEqual([2, 2, 1]);
    expect(source['s']).toMatchObject({ ranges: [{ end: 2 }, { end: 9 }] });
  });

  it('errors without a snapshot, and says what to do', () => {
    const errors: unknown[] = [];
    of(source['a']!)
      .pipe(scanPageMap())
      .subscribe({ error: (error) => errors.push(error) });
    expect(errors).toEqual([expect.objectContaining({ code: 'EINVAL', syscall: 'scanPageMap' })]);
    expect(String(errors[0])).toMatch(/'fallocate' came before any snapshot.*notifications\$\(\)/);
  });
});

describe('boundedBuffer', () => {
  /** A consumer that needs four frames for each item, and emits it when it is done. */
  const slowly = <T extends Buffered>(item: T): Observable<string> =>
    timer(4).pipe(map(() => brief(item)));

  it('hands items out one at a time, and completes after the last', () => {
    marbles(({ hot, expectObservable }) => {
      const slow = hot('ab|', source).pipe(boundedBuffer({ capacity: 2, policy: 'fail' }, slowly));
      expectObservable(slow).toBe('----a---(b|)', {
        a: 'fallocate 0-2 fallocate @2',
        b: 'fallocate 2-4 fallocate @3',
      });
    });
  });

  it('merge: the last that waits takes in what has no room', () => {
    marbles(({ hot, expectObservable }) => {
      const slow = hot('abcdiet|', source).pipe(
        boundedBuffer({ capacity: 2, policy: 'merge' }, slowly),
      );
      expectObservable(slow).toBe('----a---b---m---(n|)', {
        a: 'fallocate 0-2 fallocate @2',
        b: 'fallocate 2-4 fallocate @3',
        m: 'merged 3 left [] leaving [0-4] populated [4-9] @6',
        n: 'merged 2 left [0-4] leaving [4-6] populated [] @8',
      });
    });
  });

  it('merge: a snapshot makes what waited with it a snapshot', () => {
    marbles(({ hot, expectObservable }) => {
      const slow = hot('abisd|', source).pipe(
        boundedBuffer({ capacity: 1, policy: 'merge' }, slowly),
      );
      expectObservable(slow).toBe('----a---(s|)', {
        a: 'fallocate 0-2 fallocate @2',
        s: 'snapshot [0-2 4-9] @5',
      });
    });
  });

  it('merge: what stayed has not left', () => {
    marbles(({ hot, expectObservable }) => {
      const kept = [{ start: 1, end: 2 }];
      const k = { ...told('invalidateEnd', 0, 4, 8), kept } as Notification;
      const slow = hot('aik|', { ...source, k }).pipe(
        boundedBuffer({ capacity: 1, policy: 'merge' }, slowly),
      );
      expectObservable(slow).toBe('----a---(k|)', {
        a: 'fallocate 0-2 fallocate @2',
        k: 'merged 2 left [0-1 2-4] leaving [] populated [1-2] @8',
      });
    });
  });

  it('drop: marks the gap, subscribes anew, and goes on from a snapshot', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const again = cold('sabcde-----------', source);
      const slow = again.pipe(boundedBuffer({ capacity: 1, policy: 'drop' }, slowly));
      expectObservable(slow, '^---------------!').toBe('----s---a---g---', {
        s: 'snapshot [0-2 6-9] @1',
        a: 'fallocate 0-2 fallocate @2',
        g: 'gap 4 of 3..7',
      });
      expectSubscriptions(again.subscriptions).toBe(['^-------!', '--------^-------!']);
    });
  });

  it('drop: a gap at the end is marked all the same', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const once = cold('sabc|', source);
      const slow = once.pipe(boundedBuffer({ capacity: 1, policy: 'drop' }, slowly));
      expectObservable(slow).toBe('----s---a---(g|)', {
        s: 'snapshot [0-2 6-9] @1',
        a: 'fallocate 0-2 fallocate @2',
        g: 'gap 2 of 3..4',
      });
      expectSubscriptions(once.subscriptions).toBe('^---!');
    });
  });

  it('drop: says that a source without a snapshot will not do', () => {
    marbles(({ hot, expectObservable }) => {
      const slow = hot('abc-----------d', source).pipe(
        boundedBuffer({ capacity: 1, policy: 'drop' }, slowly),
      );
      const values = {
        a: 'fallocate 0-2 fallocate @2',
        b: 'fallocate 2-4 fallocate @3',
        g: 'gap 1 of 4..4',
      };
      const error = new MemfileError(
        'EINVAL',
        'boundedBuffer',
        "the source, subscribed to anew, starts with 'fallocate'; " +
          "policy 'drop' needs one that starts with a snapshot",
      );
      expectObservable(slow).toBe('----a---b---g-#', values, error);
    });
  });

  it('fail: errors at once, with a code', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const fast = hot('abcd', source);
      const slow = fast.pipe(boundedBuffer({ capacity: 1, policy: 'fail' }, slowly));
      const why = 'at position 4 the consumer lags by 1 items and more';
      expectObservable(slow).toBe('--#', {}, new MemfileError('ENOBUFS', 'boundedBuffer', why));
      expectSubscriptions(fast.subscriptions).toBe('^-!');
    });
  });

  it('passes errors of the source and of the consumer on, thrown ones too', () => {
    marbles(({ hot, expectObservable }) => {
      const options = { capacity: 1, policy: 'merge' } as const;
      expectObservable(hot('a#', source).pipe(boundedBuffer(options, slowly))).toBe('-#');
      const fails = () => throwError(() => 'error');
      expectObservable(hot('-a', source).pipe(boundedBuffer(options, fails))).toBe('-#');
      const throws = (): never => {
        // oxlint-disable-next-line typescript/only-throw-error
        throw 'error';
      };
      expectObservable(hot('-a', source).pipe(boundedBuffer(options, throws))).toBe('-#');
    });
  });

  it('lets go of source and consumer when nobody listens any more', () => {
    const subject = new Subject<Notification>();
    const work = new Subject<string>();
    const options = { capacity: 1, policy: 'merge' } as const;
    const subscription = subject.pipe(boundedBuffer(options, () => work)).subscribe();
    subject.next(source['a']!);
    expect([subject.observed, work.observed]).toEqual([true, true]);
    subscription.unsubscribe();
    expect([subject.observed, work.observed]).toEqual([false, false]);
  });

  it('hands out as many as there are to a consumer that is done at once', () => {
    const subject = new Subject<Notification>();
    const first = new Subject<number>();
    let handed = 0;
    subject
      .pipe(
        boundedBuffer({ capacity: 5_000, policy: 'fail' }, () =>
          handed++ === 0 ? first : of(handed),
        ),
      )
      .subscribe();
    for (let n = 0; n <= 5_000; n++) subject.next(told('fallocate', n, n + 1, n));
    first.complete();
    expect(handed).toBe(5_001);
  });

  it('stays small, whatever the producer does', () => {
    const subject = new Subject<Notification>();
    const gate = new Subject<never>();
    const handed: Buffered[] = [];
    subject
      .pipe(
        boundedBuffer({ capacity: 4, policy: 'merge' }, (item) => {
          handed.push(item);
          return gate;
        }),
      )
      .subscribe();
    subject.next(told('invalidate', 0, MAX_PAGES, 0));
    for (let n = 1; n <= 100_000; n++) {
      const page = (n * 7919) % 64;
      const type = n % 3 === 0 ? 'invalidateEnd' : n % 3 === 1 ? 'fallocate' : 'invalidate';
      subject.next(told(type, page, page + 1, n));
    }
    subject.next(told('invalidateEnd', 0, MAX_PAGES, 100_001));
    subject.complete();
    gate.complete();
    // A gate that is over lets each through at once: now comes what waited.
    expect(handed).toHaveLength(5);
    expect(handed.at(-1)).toMatchObject({ type: 'merged', left: [{ start: 0, end: MAX_PAGES }] });
  });

  it('refuses options that make no sense', () => {
    const make = (capacity: number, policy: string) =>
      boundedBuffer({ capacity, policy: policy as BufferPolicy }, () => NEVER);
    expect(() => make(0, 'merge')).toThrow(/EINVAL.*capacity/);
    expect(() => make(1.5, 'merge')).toThrow(MemfileError);
    expect(() => make(1, 'block')).toThrow(/'merge', 'drop' or 'fail'/);
  });
});
