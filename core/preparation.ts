import { MemfileError } from './errno.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import { tell } from './notifier-list.js';
import type { Operation } from './operation.js';
import { formatRange, type PageRange } from './page-range.js';
import type { Registration } from './registration.js';

/** Consumers that were asked about one stretch of pages, in the order asked. */
interface Asked extends PageRange {
  readonly position: number;
  readonly consumers: readonly Registration[];
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
  for (const { start, end } of stretches) {
    const voters = votersOf({ start, end });
    if (voters.length === 0) continue;
    const position = record('prepare', { start, end });
    const pass = file.pass(operation, 'prepare', reason, position);
    const consumers: Registration[] = [];
    asked.push({ start, end, position, consumers });
    for (const voter of voters) {
      if (!voter.active) continue;
      consumers.push(voter);
      tell(voter, pass, start, end);
      if (refused(operation)) break;
    }
    if (refused(operation)) break; // Nobody else needs to be asked.
  }
  if (asked.length === 0) then(true);
  else {
    operation.whenLetGo('every consumer has voted', () => {
      if (refused(operation)) rollBack(file, operation, asked, reason, record, () => then(false));
      else then(true);
    });
  }
}

function refused(operation: Operation): boolean {
  return operation.refusals.some(({ consumer }) => consumer.active);
}

function rollBack(
  file: FileCore,
  operation: Operation,
  asked: readonly Asked[],
  reason: Reason,
  record: Record,
  then: () => void,
): void {
  for (const { consumer, start, end, error } of operation.refusals) {
    if (!consumer.active) continue;
    operation.failed(`"${consumer.name}" refused ${formatRange(start, end)}`, error);
    operation.code = error instanceof MemfileError ? error.code : 'EBUSY';
  }
  operation.effect = 'none';
  for (let i = asked.length - 1; i >= 0; i--) {
    const { start, end, position, consumers } = asked[i]!;
    const objectors = operation.refusals.filter((refusal) => refusal.position === position);
    const pass = file.pass(operation, 'rollback', reason, record('rollback', { start, end }));
    for (let c = consumers.length - 1; c >= 0; c--) {
      const consumer = consumers[c]!;
      if (objectors.some((refusal) => refusal.consumer === consumer)) continue;
      tell(consumer, pass, start, end);
    }
  }
  operation.whenLetGo('every consumer has rolled back', then);
}
