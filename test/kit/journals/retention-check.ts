import fc from 'fast-check';
import { EVOLVE_VERSION } from '../../../core/evolve.js';
import type { JournalEvent } from '../../../core/index.js';
import type { Check } from '../suite.js';
import { journalEvent } from './events.js';
import { withJournal, type JournalSubject } from './journal-checks.js';

interface Retention {
  readonly events: readonly JournalEvent[];
  /** Positions, that may lie past the last. */
  readonly checkpoints: readonly number[];
  readonly before: number;
}

const retention: fc.Arbitrary<Retention> = fc.record({
  events: fc.array(journalEvent, { minLength: 1, maxLength: 12 }),
  checkpoints: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
  before: fc.integer({ min: 1, max: 14 }),
});

/** Law 10: what is forgotten is what a checkpoint stands for, and no more. */
export function retentionCheck(subject: JournalSubject): Check<Retention> {
  return {
    law: 10,
    what: 'forgets what a checkpoint stands for, and no more',
    programs: retention,
    show: ({ events, checkpoints, before }) => [
      `append ${events.length} events`,
      ...kept(events, checkpoints).map((position) => `save a checkpoint of position ${position}`),
      `truncate(${before})`,
    ],
    async skip() {
      let keeps = false;
      await withJournal(subject, (journal) => {
        keeps = journal.keepsCheckpoints;
        return [];
      });
      return keeps ? undefined : 'the journal keeps no checkpoints';
    },
    broken: ({ events, checkpoints, before }) =>
      withJournal(subject, async (journal) => {
        for (const event of events) journal.append(event);
        await journal.whenDurable(journal.position);
        const positions = kept(events, checkpoints);
        for (const position of positions) {
          journal.saveCheckpoint({ position, version: EVOLVE_VERSION, state: `at ${position}` });
        }
        const all = [...journal.read(1)].map((event) => JSON.stringify(event));
        const base = Math.max(0, ...positions.filter((position) => position < before));
        const first = journal.truncate(before, EVOLVE_VERSION);
        const findings: string[] = [];
        if (journal.first !== first)
          findings.push(`answers ${first}, and first is ${journal.first}`);
        if (first > base + 1)
          findings.push(`the oldest event is ${first}, which ${base} stands not for`);
        const left = [...journal.read(1)].map((event) => JSON.stringify(event));
        if (left.join() !== all.slice(first - 1).join()) {
          findings.push(`the ${left.length} events left are not those from ${first} on`);
        }
        const checkpoint = journal.checkpoint(Math.max(1, base), EVOLVE_VERSION)?.position ?? 0;
        if (base > 0 && checkpoint !== base) {
          findings.push(`the checkpoint of ${base} is gone, the latest is of ${checkpoint}`);
        }
        return findings;
      }),
  };
}

/** Of those positions that there are, each once and sorted. */
function kept(events: readonly JournalEvent[], checkpoints: readonly number[]): number[] {
  const there = checkpoints.filter((position) => position <= events.length);
  return [...new Set(there)].sort((a, b) => a - b);
}
