import type { Journal, JournalEvent, Recorded } from '../../../core/index.js';
import { differences, recorded, withJournal, type JournalSubject } from './journal-checks.js';
import { fixed, type Check } from '../suite.js';

/** A subscription that says nothing for so long never will. No check that passes waits for it. */
const PATIENCE_MS = 1000;

const event = (file: number): JournalEvent => ({ type: 'close', file });

/** Who subscribes misses nothing, gets nothing twice, and is let go in the end. */
export function subscriptionChecks(subject: JournalSubject): readonly Check<readonly string[]>[] {
  const check = (
    what: string,
    steps: readonly string[],
    broken: (journal: Journal) => Promise<readonly string[]>,
  ): Check<readonly string[]> => fixed({ law: 5, what }, steps, () => withJournal(subject, broken));
  return [
    check(
      'a subscription begins with what was there',
      ['append events 1 to 3', 'subscribe from 2', 'take 2 events'],
      async (journal) => {
        const events = append(journal, 1, 2, 3);
        const taken = await new Follower(journal, 2).take(2);
        return differences(taken, recorded(events).slice(1), 'subscribe(2)');
      },
    ),
    check(
      'a subscription goes on with what comes',
      ['append event 1', 'subscribe from 1', 'wait for 2', 'append it', 'wait for 3', 'append it'],
      async (journal) => {
        const events = append(journal, 1);
        const follower = new Follower(journal, 1);
        const taken = follower.take(2);
        await follower.waits();
        events.push(...append(journal, 2));
        const all = await taken;
        const last = follower.take(1);
        events.push(...append(journal, 3));
        return differences([...all, ...(await last)], recorded(events), 'subscribe(1)');
      },
    ),
    check(
      'a subscription has caught up, once, with what came meanwhile too',
      ['append events 1 and 2', 'take 1 of them', 'append event 3', 'take 2', 'wait for a fourth'],
      async (journal) => {
        const events = append(journal, 1, 2);
        const follower = new Follower(journal, 1);
        const taken = await follower.take(1);
        events.push(...append(journal, 3));
        taken.push(...(await follower.take(2)));
        const last = follower.take(1);
        await follower.waits();
        events.push(...append(journal, 4));
        taken.push(...(await last));
        const findings = differences(taken, recorded(events), 'subscribe(1)');
        const caughtUp = follower.caughtUp.join();
        if (caughtUp === '3') return findings;
        return [...findings, `it says that it has caught up at [${caughtUp}], not at 3`];
      },
    ),
    check(
      'a subscription to what is to come begins there',
      ['subscribe from 3', 'append events 1 to 4', 'take 2 events'],
      async (journal) => {
        const follower = new Follower(journal, 3);
        const taken = follower.take(2);
        await follower.waits();
        const events = append(journal, 1, 2, 3, 4);
        return differences(await taken, recorded(events).slice(2), 'subscribe(3)');
      },
    ),
    check(
      'subscriptions go at their own pace',
      ['subscribe twice from 1', 'append events 1 to 3', 'take 3 events of one, then of the other'],
      async (journal) => {
        const [quick, slow] = [new Follower(journal, 1), new Follower(journal, 1)];
        const events = recorded(append(journal, 1, 2, 3));
        return [
          ...differences(await quick.take(3), events, 'the quick subscription'),
          ...differences(await slow.take(3), events, 'the slow subscription'),
        ];
      },
    ),
    check(
      'a subscription ends when the journal is closed, after its last event',
      ['subscribe twice from 1', 'one waits', 'append event 1', 'close', 'both to the end'],
      async (journal) => {
        const [early, late] = [new Follower(journal, 1), new Follower(journal, 1)];
        const waited = early.take(Infinity);
        await early.waits();
        const events = recorded(append(journal, 1));
        await journal.close();
        const [one, other] = await Promise.all([waited, late.take(Infinity)]);
        return [
          ...differences(one, events, 'the one that waits'),
          ...differences(other, events, 'the other'),
          ...(early.ended && late.ended ? [] : ['a subscription did not end within a second']),
        ];
      },
    ),
    check(
      'who leaves a subscription holds nobody up',
      [
        'subscribe from 1',
        'append event 1',
        'take it and leave',
        'append event 2',
        'subscribe anew',
      ],
      async (journal) => {
        const leaver = new Follower(journal, 1);
        const events = append(journal, 1);
        await leaver.take(1);
        await leaver.leave();
        events.push(...append(journal, 2));
        return differences(await new Follower(journal, 1).take(2), recorded(events), 'the new one');
      },
    ),
  ];
}

function append(journal: Journal, ...files: readonly number[]): JournalEvent[] {
  const events = files.map(event);
  for (const event of events) journal.append(event);
  return events;
}

class Follower {
  /** The journal has ended it. */
  ended = false;
  /** The positions at which it was told that it has caught up. */
  readonly caughtUp: number[] = [];
  readonly #events: AsyncIterator<Recorded>;
  readonly #waits: Promise<void>;

  constructor(journal: Journal, from: number) {
    let waits = (): void => {};
    this.#waits = new Promise((resolve) => (waits = resolve));
    const onCaughtUp = (position: number): void => {
      this.caughtUp.push(position);
      waits();
    };
    this.#events = journal.subscribe(from, { onCaughtUp })[Symbol.asyncIterator]();
  }

  /** Until it has taken all that was there, and waits for what comes. */
  async waits(): Promise<void> {
    await soon(this.#waits);
  }

  /** At most `count` events; fewer when it ends before, or says nothing any more. */
  async take(count: number): Promise<Recorded[]> {
    const events: Recorded[] = [];
    while (events.length < count) {
      const next = await soon(this.#events.next());
      if (next === undefined) break;
      this.ended = next.done === true;
      if (next.done === true) break;
      events.push(next.value);
    }
    return events;
  }

  async leave(): Promise<void> {
    await soon(Promise.resolve(this.#events.return?.()));
  }
}

/** What it resolves to; undefined when that takes too long. */
async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, undefined);
  });
  const first = await Promise.race([promise, patience]);
  clearTimeout(timer);
  return first;
}
