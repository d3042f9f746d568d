import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SqliteJournal } from '../../adapters/sqlite/index.js';
import {
  evolve,
  Journal,
  MemfileState,
  MemoryJournal,
  replay,
  saveState,
  type JournalEvent,
  type Piece,
  type Recorded,
} from '../../core/index.js';
import { temporaryFiles } from '../journal/files.js';
import { pageEvent, rareEvent } from '../kit/journals/events.js';

/** A journal that has nothing but what it must have. */
class PlainJournal extends Journal {
  readonly #events: JournalEvent[] = [];

  get position(): number {
    return this.#events.length;
  }

  append(event: JournalEvent): number {
    return this.#events.push(event);
  }

  *read(from: number, to = Infinity): Iterable<Recorded> {
    const end = Math.min(to, this.position + 1);
    for (let at = Math.max(from, 1); at < end; at++) {
      yield { ...this.#events[at - 1]!, position: at };
    }
  }

  async *subscribe(from: number): AsyncIterable<Recorded> {
    yield* this.read(from);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const path = temporaryFiles();
const journals: Record<string, () => Journal> = {
  MemoryJournal: () => new MemoryJournal(),
  SqliteJournal: () => SqliteJournal.open(path(), { durability: 'memory' }),
  'a journal that answers no pieces': () => new PlainJournal(),
};

/** How many of each there are, so that events concern each other. */
const FEW = { file: 2, operation: 3, registration: 2, offset: 3, pfn: 4, order: 2, pages: 7 };

/** The same event in small numbers; of the first of ten, one number fits no row. */
function amongFew(event: JournalEvent, nth: number): JournalEvent {
  const few: Record<string, unknown> = { ...event };
  for (const [name, count] of Object.entries(FEW)) {
    const number = few[name];
    if (typeof number === 'number') few[name] = 1 + (number % count);
  }
  if ('start' in event) {
    const start = event.start % 10;
    Object.assign(few, { start, end: start + 1 + ((event.end - event.start) % 6) });
  }
  if (nth === 0 && 'operation' in event) few['operation'] = 2 ** 32 + (event.operation % 2);
  return few as unknown as JournalEvent;
}

/** What mostly follows an event at once. */
function answerTo(event: JournalEvent): JournalEvent[] {
  if (event.type === 'prepare') return [{ ...event, type: 'fallocate', pfn: event.start + 20 }];
  return event.type === 'invalidate' ? [{ ...event, type: 'invalidateEnd' }] : [];
}

const created = (file: number): JournalEvent => ({
  type: 'createFile',
  file,
  name: 'ram',
  store: 'shmem',
  pages: 16,
  flags: [],
  seals: [],
  options: {},
});
const registered = (registration: number): JournalEvent => ({
  type: 'register',
  file: registration,
  registration,
  name: 'vm',
  start: 0,
  end: 16,
});

/** Those that end a story, and of which there should be few. */
const LAST = new Set(['close', 'unregister', 'plugin', 'open']);

/** What most stories consist of. */
const OFTEN = new Set(['prepare', 'fallocate', 'rollback', 'invalidate', 'kept', 'invalidateEnd']);
const often = pageEvent.filter(({ type }) => OFTEN.has(type));

const anything = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: often },
      { weight: 3, arbitrary: pageEvent },
      { weight: 1, arbitrary: rareEvent },
    ),
    fc.nat(9),
    fc.nat(2),
  )
  .map(([event, nth, answered]) => {
    const few = amongFew(event, nth);
    if (LAST.has(few.type) && nth > 0) return [];
    return answered === 0 ? [few] : [few, ...answerTo(few)];
  });
const program = fc
  .array(anything, { minLength: 1, maxLength: 60, size: 'max' })
  .map((events) => [created(1), created(2), registered(1), registered(2), ...events.flat()]);

/** Everything in the state after each event, up to the first that cannot be folded and why. */
function folded(events: readonly JournalEvent[]): string[] {
  const state = new MemfileState();
  const states: string[] = [];
  try {
    for (const event of events) states.push(saveState(evolve(state, event)));
  } catch (error) {
    states.push(String(error));
  }
  return states;
}

function replayed(journal: Journal, to: number): string {
  try {
    return saveState(replay(journal, to));
  } catch (error) {
    return String(error);
  }
}

function filled(make: () => Journal, events: readonly JournalEvent[]): Journal {
  const journal = make();
  for (const event of events) journal.append(event);
  return journal;
}

describe.each(Object.entries(journals))('replay of %s', (_, make) => {
  it('comes to what its events come to one by one, after each of them', async () => {
    await fc.assert(
      fc.asyncProperty(program, async (events) => {
        const expected = folded(events);
        const journal = filled(make, events);
        for (const [index, state] of expected.entries()) {
          expect(replayed(journal, index + 1)).toBe(state);
        }
        expect(replayed(journal, events.length)).toBe(expected.at(-1));
        await journal.close();
      }),
    );
  });

  it('does so wherever one piece ends and the next begins', async () => {
    const time: JournalEvent = { type: 'time', ms: 1 };
    const nearEnd = fc.tuple(fc.constantFrom(1024, 4096), fc.integer({ min: 5, max: 30 }));
    await fc.assert(
      fc.asyncProperty(program, nearEnd, async (events, [rows, before]) => {
        const padded = [...Array.from({ length: rows - before }, () => time), ...events];
        const journal = filled(make, padded);
        expect(replayed(journal, padded.length)).toBe(folded(padded).at(-1));
        await journal.close();
      }),
      { numRuns: 20 },
    );
  });

  it.each<[string, JournalEvent]>([
    ['file', { type: 'kept', file: 7, operation: 1, start: 0, end: 1 }],
    ['registration', { type: 'lookup', file: 1, registration: 7, offset: 0, pfn: 1, order: 0 }],
  ])('names the position of an event of no %s that there is', async (what, event) => {
    const journal = filled(make, [created(1), { type: 'time', ms: 1 }, event]);
    expect(() => replay(journal)).toThrow(new RangeError(`position 3: no ${what} 7`));
    await journal.close();
  });
});

it('makes no objects of what happens often', () => {
  let made = 0;
  class Counted extends MemoryJournal {
    override *pieces(from: number, to?: number): Iterable<Piece> {
      for (const piece of super.pieces(from, to)) {
        const { first, end, rows } = piece;
        yield { first, end, rows, at: (position) => (made++, piece.at(position)) };
      }
    }
  }
  const of = { file: 1, operation: 1, start: 0, end: 4, reason: 'punch' } as const;
  const lease = { file: 1, registration: 1, offset: 0, pfn: 9, order: 0 } as const;
  const journal = filled(() => new Counted(), [created(1), registered(1)]);
  for (let i = 0; i < 1000; i++) {
    journal.append({ type: 'prepare', ...of });
    journal.append({ type: 'fallocate', ...of, pfn: 9 });
    journal.append({ type: 'lookup', ...lease });
    journal.append({ type: 'put', ...lease });
    journal.append({ type: 'invalidate', ...of });
    journal.append({ type: 'kept', file: 1, operation: 1, start: 0, end: 1 });
    journal.append({ type: 'invalidateEnd', ...of });
  }
  expect(replay(journal).toJSON().files[0]!.populated).toEqual([[0, 1]]);
  expect(made).toBe(2);
});
