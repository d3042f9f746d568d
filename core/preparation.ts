import { MemfileError } from './errno.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import { tell } from './notifier-list.js';
import type { Operation } from './operation.js';
import { formatRange, type PageRange } from './page-range.js';
import type { Pass } from './pass.js';
import type { Registration } from './registration.js';

/** Consumers that were asked about one stretch of pages, in the order asked. */
interface Asked extends PageRange {
  readonly pass: Pass;
  readonly consumers: Registration[];
}

/** Where the question and its undoing are recorded; answers the position. */
type Record = (type: 'prepare' | 'rollback', range: PageRange) => number;

/**
 * Asks consumers whether pages may arrive. `then` learns whether all agreed; if not, everybody who
 * had agreed has been told to roll back, in reverse, and the operation knows who refused.
 *
 * A consumer that leaves meanwhile has no vote.
 */
export function prepare(
  file: FileCore,
  operation: Operation,
  stretches: readonly PageRange[],
  votersOf: (stretch: PageRange) => readonly Registration[],
  reason: Reason,
  record: Record,
  then: (agreed: boolean) => void,
): void {
  const asked: Asked[] = [];
  const questions = stretches.flatMap((stretch) =>
    votersOf(stretch).map((voter) => ({ stretch, voter })),
  );
  let next = 0;
  const ask = (): void => {
    // Once somebody has refused, nobody else needs to be asked.
    for (; next < questions.length && !refused(operation); next++) {
      const { voter, stretch } = questions[next]!;
      if (!voter.active) continue;
      const { start, end } = stretch;
      let last = asked.at(-1);
      if (last?.start !== start) {
        const pass = file.pass(operation, 'prepare', reason, record('prepare', stretch));
        asked.push((last = { start, end, pass, consumers: [] }));
      }
      last.consumers.push(voter);
      tell(voter, last.pass, start, end);
    }
    operation.whenLetGo('every consumer has voted', decide);
  };
  const decide = (): void => {
    if (refused(operation)) rollBack(operation, asked, record, () => then(false));
    else if (next < questions.length) ask(); // Who refused has left since, and has no vote.
    else then(true);
  };
  if (questions.length === 0) then(true);
  else ask();
}

function refused(operation: Operation): boolean {
  return operation.refusals.some(({ consumer }) => consumer.active);
}

function rollBack(
  operation: Operation,
  asked: readonly Asked[],
  record: Record,
  then: () => void,
): void {
  const refusals = operation.refusals.filter(({ consumer }) => consumer.active);
  for (const { consumer, start, end, error } of refusals) {
    operation.failed(`"${consumer.name}" refused ${formatRange(start, end)}`, error);
  }
  const { error: first } = refusals[0]!;
  operation.code = first instanceof MemfileError ? first.code : 'EBUSY';
  operation.effect = 'none';
  for (let i = asked.length - 1; i >= 0; i--) {
    const { start, end, pass, consumers } = asked[i]!;
    const undoing = pass.undoing(record('rollback', { start, end }));
    for (let c = consumers.length - 1; c >= 0; c--) tell(consumers[c]!, undoing, start, end);
  }
  operation.whenLetGo('every consumer has rolled back', then);
}
