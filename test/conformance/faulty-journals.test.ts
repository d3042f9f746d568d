import { describe, it } from 'vitest';
import { MemoryJournal, type Journal, type JournalEvent, type Recorded } from '../../core/index.js';
import { describeJournal, type JournalOptions } from '../kit/index.js';
import { expectFound } from './collect.js';

/** A journal in memory of which something is not as it should be. */
const changed = (change: (inner: MemoryJournal) => Partial<Journal>) => (): Journal => {
  const inner = new MemoryJournal();
  return Object.defineProperties(inner, Object.getOwnPropertyDescriptors(change(inner)));
};

const original = MemoryJournal.prototype;

const forgetful: JournalOptions['reopen'] = (closed) => {
  const journal = new MemoryJournal();
  for (const { position: _, ...event } of closed.read(2)) journal.append(event as JournalEvent);
  return journal;
};

const FAULTY: readonly (readonly [
  what: string,
  factory: () => Journal,
  law: string,
  says: RegExp,
])[] = [
  [
    'counts from 0',
    changed((inner) => ({ append: (event) => original.append.call(inner, event) - 1 })),
    'law 10: the journal is the truth',
    /append 1 answers position 0/,
  ],
  [
    'loses what is longer than a row',
    changed((inner) => ({
      *read(from, to) {
        for (const event of original.read.call(inner, from, to)) {
          yield (event.type === 'seal' ? { ...event, seals: [] } : event) as Recorded;
        }
      },
    })),
    'law 10: the journal is the truth',
    /read\(1\) has .*"seals":\[\].* where there is .*"seals":\["/,
  ],
  [
    'forgets what no checkpoint stands for',
    changed((inner) => ({
      truncate: (before, version) => original.truncate.call(inner, before + 1, version),
    })),
    'law 10: the journal is the truth, forgets',
    /the oldest event is \d+, which \d+ stands not for/,
  ],
  [
    'forgets the checkpoint too',
    changed((inner) => ({
      checkpoint(position, version) {
        const latest = original.checkpoint.call(inner, position, version);
        return latest !== undefined && latest.position < inner.first ? undefined : latest;
      },
    })),
    'law 10: the journal is the truth, forgets',
    /the checkpoint of \d+ is gone, the latest is of 0/,
  ],
  [
    'reads its end too',
    changed((inner) => ({
      read: (from, to) => original.read.call(inner, from, to === undefined ? to : to + 1),
    })),
    'law 10: the journal is the truth',
    /read\(\d+, \d+\) has .* where there is nothing/,
  ],
  [
    'reads what came after the call',
    changed((inner) => ({
      *read(from, to) {
        yield* original.read.call(inner, from, to);
      },
    })),
    'law 10: the journal is the truth',
    /the read has .* where there is nothing/,
  ],
  [
    'appends when it is closed',
    () => {
      const inner = new MemoryJournal();
      return Object.assign(inner, { close: () => Promise.resolve() });
    },
    'law 11: errors',
    /append is not refused/,
  ],
  [
    'tells subscriptions of nothing that was there before',
    changed((inner) => ({
      subscribe: (from) => original.subscribe.call(inner, Math.max(from, inner.position + 1)),
    })),
    'law 5: snapshot and subscribe are one step, a subscription begins',
    /subscribe\(2\) has nothing where there is/,
  ],
  [
    'tells subscriptions everything twice',
    changed((inner) => ({
      async *subscribe(from, options) {
        for await (const event of original.subscribe.call(inner, from, options)) {
          yield event;
          yield event;
        }
      },
    })),
    'law 5: snapshot and subscribe are one step',
    /has \{"file":2.* where there is \{"file":3/,
  ],
  [
    'never ends a subscription',
    changed((inner) => ({
      async *subscribe(from, options) {
        yield* original.subscribe.call(inner, from, options);
        await new Promise(() => {});
      },
    })),
    'law 5: snapshot and subscribe are one step, a subscription ends',
    /a subscription did not end/,
  ],
];

describe('describeJournal', () => {
  it.each(FAULTY)('finds the journal that %s', (_, factory, law, says) =>
    expectFound((name, options) => describeJournal(name, factory, options), law, says),
  );

  it('finds the journal that forgets the first event when it is opened again', () =>
    expectFound(
      (name, options) =>
        describeJournal(name, () => new MemoryJournal(), { ...options, reopen: forgetful }),
      'law 10: the journal is the truth',
      /opened again, the position is 0/,
    ));
});
