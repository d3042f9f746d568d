import { describe, expect, it } from 'vitest';
import type { JournalEvent, Recorded } from '../../core/index.js';
import { JournalModel } from './index.js';

const file = 1;
const punch = { file, reason: 'punch' } as const;

const open: JournalEvent = { type: 'open', level: 'deliveries', operations: 0, registrations: 0 };
const ram: JournalEvent = {
  type: 'createFile',
  file,
  name: 'ram',
  store: 'shmem',
  pages: 16,
  flags: [],
  seals: [],
  options: {},
};
const arrive = (operation: number, start: number, end: number, pfn: number): JournalEvent => ({
  type: 'fallocate',
  file,
  operation,
  start,
  end,
  pfn,
  reason: 'fallocate',
});
const ask = (operation: number, start: number, end: number): JournalEvent => ({
  type: 'prepare',
  file,
  operation,
  start,
  end,
  reason: 'fallocate',
});
const undo = (operation: number, start: number, end: number): JournalEvent => ({
  type: 'rollback',
  file,
  operation,
  start,
  end,
  reason: 'fallocate',
});
const begin = (operation: number, start: number, end: number): JournalEvent => ({
  type: 'invalidate',
  ...punch,
  operation,
  start,
  end,
});
const end = (operation: number, start: number, end: number): JournalEvent => ({
  type: 'invalidateEnd',
  ...punch,
  operation,
  start,
  end,
});
const keep = (operation: number, start: number, end: number): JournalEvent => ({
  type: 'kept',
  file,
  operation,
  start,
  end,
});
const leak = (operation: number, start: number, end: number, pfn: number): JournalEvent => ({
  type: 'quarantine',
  file,
  operation,
  start,
  end,
  pfn,
});
const join = (registration: number, start = 0, end = 16): JournalEvent => ({
  type: 'register',
  file,
  registration,
  name: `c${registration}`,
  start,
  end,
});
const lookUp = (offset: number, pfn: number): JournalEvent => ({
  type: 'lookup',
  file,
  registration: 1,
  offset,
  pfn,
  order: 0,
});
const put = (offset: number, pfn: number): JournalEvent => ({
  type: 'put',
  file,
  registration: 1,
  offset,
  pfn,
  order: 0,
});
const leave = (registration: number): JournalEvent => ({ type: 'unregister', file, registration });
const over = (registration: number): JournalEvent => ({ type: 'grace', file, registration });
const leaveAmid = (
  registration: number,
  operation: number,
  start: number,
  end: number,
): JournalEvent => ({ type: 'left', file, registration, operation, start, end });
type Delivery = Extract<JournalEvent, { type: 'delivery' }>;
const tell = (
  registration: number,
  operation: number,
  of: number,
  [callback, start, end]: readonly [Delivery['callback'], number, number],
): JournalEvent => ({
  type: 'delivery',
  file,
  operation,
  registration,
  of,
  callback,
  start,
  end,
  reason: 'punch',
});
const answer = (
  registration: number,
  operation: number,
  of: number,
  outcome: 'waits' | 'done',
): JournalEvent => ({
  type: 'answer',
  file,
  operation,
  registration,
  of,
  callback: 'invalidate',
  outcome,
});
const close: JournalEvent = { type: 'close', file };

function judge(events: readonly JournalEvent[]): string[] {
  const model = new JournalModel();
  for (const [i, event] of events.entries()) model.see({ ...event, position: i + 1 });
  return model.violations.map(
    ({ law, position, detail }) => `law ${law} at ${position}: ${detail}`,
  );
}

/** Without consumers: the file is made at 1. */
const pages = (...events: readonly JournalEvent[]): readonly JournalEvent[] => [ram, ...events];
/** Two consumers see everything: what follows has position 5 and on. */
const seen = (...events: readonly JournalEvent[]): readonly JournalEvent[] => [
  open,
  ram,
  join(1),
  join(2, 0, 4),
  ...events,
];
/** Pages [0, 2) are there, everybody knows, and their departure begins at 8. */
const leaving = (...events: readonly JournalEvent[]): readonly JournalEvent[] =>
  seen(
    arrive(1, 0, 2, 1),
    tell(1, 1, 5, ['fallocate', 0, 2]),
    tell(2, 1, 5, ['fallocate', 0, 2]),
    begin(2, 0, 2),
    ...events,
  );
const told = [tell(2, 2, 8, ['invalidate', 0, 2]), tell(1, 2, 8, ['invalidate', 0, 2])];

describe('the model that reads journals', () => {
  it('has nothing to say of a journal in order', () => {
    expect(
      judge(
        leaving(
          ...told,
          answer(1, 2, 8, 'waits'),
          answer(1, 2, 8, 'done'),
          keep(2, 0, 1),
          end(2, 0, 2),
          tell(1, 2, 14, ['invalidateEnd', 0, 2]),
          tell(2, 2, 14, ['invalidateEnd', 0, 2]),
          lookUp(0, 1),
          leave(1),
          over(1),
          put(0, 1),
          ask(3, 4, 6),
          undo(3, 4, 6),
          close,
        ),
      ),
    ).toEqual([]);
  });

  it.each<[string, readonly JournalEvent[]]>([
    ['law 10 at 2: file 1 is there already', pages(ram)],
    ['law 10 at 2: of file 1, which is not open', [{ ...ram, file: 2 }, arrive(1, 0, 2, 1)]],
    ['law 5 at 3: pages arrive that are there', pages(arrive(1, 0, 2, 1), arrive(2, 1, 3, 8))],
    [
      'law 4 at 3: frames [2, 4) are handed out while a page still has one',
      pages(arrive(1, 0, 2, 1), arrive(2, 4, 6, 2)),
    ],
    [
      'law 4 at 6: frames [1, 2) are handed out, of which one is quarantined',
      pages(arrive(1, 0, 1, 1), begin(2, 0, 1), leak(2, 0, 1, 1), end(2, 0, 1), arrive(3, 4, 5, 1)),
    ],
    ['law 4 at 4: page 0 has frame 1', pages(arrive(1, 0, 1, 1), begin(2, 0, 1), leak(2, 0, 1, 7))],
    [
      'law 9 at 6: frames [1, 2) are handed out while 1 is leased',
      pages(arrive(1, 0, 1, 1), lookUp(0, 1), begin(2, 0, 1), end(2, 0, 1), arrive(3, 4, 5, 1)),
    ],
    ['law 9 at 3: page 0 has frame 1, and 2 is leased', pages(arrive(1, 0, 1, 1), lookUp(0, 2))],
    [
      'law 9 at 5: frame 1 is put, of which no lease is out',
      pages(arrive(1, 0, 1, 1), lookUp(0, 1), put(0, 1), put(0, 1)),
    ],
    ['law 3 at 3: operation 1 begins a second time', pages(begin(1, 0, 1), begin(1, 4, 5))],
    ['law 3 at 2: pages stay in an invalidation that is not open', pages(keep(1, 0, 1))],
    ['law 3 at 2: operation 1 ends, which is not open', pages(end(1, 0, 1))],
    ['law 3 at 3: [0, 1) was begun', pages(begin(1, 0, 1), end(1, 0, 2))],
    ['law 3 at 3: the file closes amid an operation', pages(begin(1, 0, 1), close)],
    ['law 1 at 3: amid operation 1 on [0, 2)', pages(begin(1, 0, 2), arrive(2, 1, 3, 1))],
    ['law 8 at 3: pages are asked about that are there', pages(arrive(1, 0, 1, 1), ask(2, 0, 2))],
    ['law 8 at 3: pages are asked about twice', pages(ask(1, 0, 2), ask(1, 1, 3))],
    ['law 8 at 3: what is undone was never asked about', pages(ask(1, 0, 2), undo(1, 0, 3))],
    ['law 5 at 5: registration 2 is there already', [open, ram, join(1), join(2), join(2)]],
    [
      'law 7 at 7: "c2" was not told of fallocate at 5',
      seen(arrive(1, 0, 2, 1), tell(1, 1, 5, ['fallocate', 0, 2]), begin(2, 8, 9)),
    ],
    [
      'law 7 at 6: "c1" is told [0, 1), and [0, 2) is its part',
      seen(arrive(1, 0, 2, 1), tell(1, 1, 5, ['fallocate', 0, 1])),
    ],
    [
      'law 7 at 7: "c2" is told [0, 6), and [0, 4) is its part',
      seen(
        arrive(1, 0, 6, 1),
        tell(1, 1, 5, ['fallocate', 0, 6]),
        tell(2, 1, 5, ['fallocate', 0, 6]),
      ),
    ],
    [
      'law 7 at 8: "c2" is told a second time',
      seen(
        arrive(1, 0, 2, 1),
        tell(1, 1, 5, ['fallocate', 0, 2]),
        tell(2, 1, 5, ['fallocate', 0, 2]),
        tell(2, 1, 5, ['fallocate', 0, 2]),
      ),
    ],
    [
      'law 1 at 7: "c1" is told after registration 2',
      seen(
        arrive(1, 0, 2, 1),
        tell(2, 1, 5, ['fallocate', 0, 2]),
        tell(1, 1, 5, ['fallocate', 0, 2]),
      ),
    ],
    [
      'law 1 at 10: "c2" is told after registration 1',
      leaving(tell(1, 2, 8, ['invalidate', 0, 2]), tell(2, 2, 8, ['invalidate', 0, 2])),
    ],
    [
      'law 1 at 6: "c1" is told of invalidate at 5, which is not what comes now',
      seen(arrive(1, 0, 2, 1), tell(1, 1, 5, ['invalidate', 0, 2])),
    ],
    [
      'law 1 at 6: "c1" is told of fallocate at 4, which is not what comes now',
      seen(arrive(1, 0, 2, 1), tell(1, 1, 4, ['fallocate', 0, 2])),
    ],
    [
      'law 6 at 6: registration 3 is told while it is not registered',
      seen(arrive(1, 0, 2, 1), tell(3, 1, 5, ['fallocate', 0, 2])),
    ],
    ['law 4 at 12: "c1" has not let go', leaving(...told, answer(1, 2, 8, 'waits'), end(2, 0, 2))],
    [
      'law 6 at 11: registration 1 is done with invalidate, which it was not at',
      leaving(...told, answer(1, 2, 8, 'done')),
    ],
    ['law 6 at 5: registration 3 leaves and is not there', seen(leave(3))],
    [
      'law 3 at 11: "c1" leaves, and nothing says that it hears no end of 2',
      leaving(...told, leave(1)),
    ],
    [
      'law 3 at 11: registration 3 leaves and is not there',
      leaving(...told, leaveAmid(3, 2, 0, 2)),
    ],
    ['law 7 at 11: "c2" leaves amid what is not its part', leaving(...told, leaveAmid(2, 2, 0, 6))],
    [
      'law 3 at 9: "c1" leaves amid operation 2, of which it was not told',
      leaving(leaveAmid(1, 2, 0, 2)),
    ],
    ['law 6 at 5: "c1" has not left', seen(over(1))],
    [
      'law 6 at 14: "c1" is still at work: operation 2 invalidate',
      leaving(...told, answer(1, 2, 8, 'waits'), leaveAmid(1, 2, 0, 2), leave(1), over(1)),
    ],
  ])('finds %s', (expected, events) => {
    const [first = 'nothing'] = judge(events);
    expect(first.slice(0, expected.length)).toBe(expected);
  });

  it.each<[string, readonly JournalEvent[]]>([
    [
      'law 4 at 3: frames [16439, 16440) are handed out while a page still has one',
      pages(arrive(1, 0, 60, 16_380), arrive(2, 60, 61, 16_439)),
    ],
    [
      'law 4 at 6: frames [10, 14) are handed out while a page still has one',
      pages(arrive(1, 0, 8, 10), begin(2, 0, 8), keep(2, 3, 4), end(2, 0, 8), arrive(3, 8, 12, 10)),
    ],
    [
      'law 4 at 7: frames [12, 14) are handed out, of which one is quarantined',
      pages(
        arrive(1, 0, 4, 10),
        begin(2, 0, 4),
        leak(2, 3, 4, 13),
        end(2, 0, 4),
        arrive(3, 0, 2, 10),
        arrive(4, 2, 4, 12),
      ),
    ],
    [
      'law 9 at 10: frames [9, 13) are handed out while 11 is leased',
      pages(
        arrive(1, 0, 4, 10),
        lookUp(1, 11),
        lookUp(1, 11),
        lookUp(1, 11),
        put(1, 11),
        put(1, 11),
        begin(2, 0, 4),
        end(2, 0, 4),
        arrive(3, 8, 12, 9),
      ),
    ],
    [
      'law 3 at 3: operation 1 begins a second time',
      pages(begin(1, 0, 4), begin(1, 0, 4), end(1, 0, 4), arrive(2, 0, 4, 10)),
    ],
    [
      'law 1 at 6: amid operation 2 on [4, 8)',
      pages(begin(1, 0, 4), begin(2, 4, 8), begin(3, 8, 9), end(1, 0, 4), arrive(4, 3, 5, 9)),
    ],
    [
      'law 7 at 8: "c2" was not told of fallocate at 6',
      [
        open,
        ram,
        join(1),
        join(2, 6, 16),
        arrive(1, 4, 6, 10),
        arrive(1, 6, 7, 30),
        tell(1, 1, 6, ['fallocate', 4, 7]),
        begin(2, 8, 9),
      ],
    ],
    [
      'law 7 at 8: "c2" is told [2, 4), and [0, 4) is its part',
      seen(
        arrive(1, 0, 2, 10),
        arrive(1, 2, 4, 30),
        tell(1, 1, 6, ['fallocate', 0, 4]),
        tell(2, 1, 6, ['fallocate', 2, 4]),
      ),
    ],
  ])('finds %s, and nothing else', (expected, events) => {
    expect(judge(events)).toEqual([expected]);
  });

  it('finds that a position is missing', () => {
    const model = new JournalModel();
    const later: Recorded = { ...ram, position: 3 };
    model.see(later);
    expect(model.violations).toMatchObject([{ law: 1, detail: 'comes after position 0' }]);
  });
});
