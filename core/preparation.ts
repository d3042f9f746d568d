import { Ballot } from './ballot.js';
import type { PfnRun } from './backing-store.js';
import type { Conversion } from './capabilities.js';
import { MemfileError } from './errno.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import type { Operation } from './operation.js';
import { formatRange, type PageRange } from './page-range.js';
import type { Registration } from './registration.js';
import { tell } from './audience.js';
import { ToldEvent } from './told-event.js';

/** Who is asked about one stretch of pages. */
export interface Question extends PageRange {
  readonly voters: readonly Registration[];
  /** The frames that would come to them, for their budgets. */
  readonly runs: readonly PfnRun[];
}

interface Poll {
  readonly reason: Reason;
  readonly conversion?: Conversion;
  readonly questions: readonly Question[];
  /** Where the question and its undoing are recorded; answers the position. */
  readonly record: (type: 'prepare' | 'rollback', range: PageRange) => number;
}

/** Consumers that were asked about one stretch of pages, in the order asked. */
interface Asked extends PageRange {
  readonly question: Question;
  readonly event: ToldEvent;
  readonly consumers: Registration[];
}

/** Tells everybody who had agreed that it does not take place, in reverse. */
export type RollBack = (then: () => void) => void;

/**
 * Asks consumers whether pages may arrive, or change sides. `then` learns whether all agreed; if
 * not, everybody who had agreed has been told to roll back, and the operation knows who refused.
 *
 * A consumer that leaves meanwhile has no vote.
 */
export function prepare(
  file: FileCore,
  operation: Operation,
  { reason, conversion, questions, record }: Poll,
  then: (agreed: boolean, rollBack: RollBack) => void,
): void {
  const asked: Asked[] = [];
  const pending = questions.flatMap((question) =>
    question.voters.map((voter) => ({ question, voter })),
  );
  const rollBack: RollBack = (after) => {
    for (let i = asked.length - 1; i >= 0; i--) {
      const { start, end, event, consumers } = asked[i]!;
      const undoing = event.undoing(record('rollback', { start, end }));
      for (let c = consumers.length - 1; c >= 0; c--)
        tell(file.engine, consumers[c]!, undoing, start, end);
    }
    operation.whenLetGo('every consumer has rolled back', after);
  };
  const bills = wholeBills(questions);
  let next = 0;
  const ask = (): void => {
    // Once somebody has refused, nobody else needs to be asked.
    for (; next < pending.length && refusals(operation).length === 0; next++) {
      const { voter, question } = pending[next]!;
      if (!voter.active) continue;
      const { start, end, runs } = question;
      let last = asked.at(-1);
      if (last?.question !== question) {
        const position = record('prepare', question);
        const detail = { conversion, ballot: new Ballot() };
        const event = new ToldEvent(file, operation, 'prepare', reason, position, position, detail);
        asked.push((last = { question, start, end, event, consumers: [] }));
      }
      last.consumers.push(voter);
      // All that is to come has to fit before any of it is promised: not everybody counts promises.
      const whole = bills.get(voter);
      bills.delete(voter);
      const over = (whole && voter.overBudget(whole)) ?? voter.overBudget(runs);
      if (over === undefined) tell(file.engine, voter, last.event, start, end);
      else voter.refuse(last.event, start, end, over);
    }
    operation.whenLetGo('every consumer has voted', decide);
  };
  const decide = (): void => {
    if (refusals(operation).length > 0) {
      giveReasons(file, operation);
      rollBack(() => then(false, rollBack));
    } else if (next < pending.length) ask(); // Who refused has left since, and has no vote.
    else then(true, rollBack);
  };
  if (pending.length === 0) then(true, rollBack);
  else ask();
}

/** What the whole poll would bring to those who have a budget and are asked more than once. */
function wholeBills(questions: readonly Question[]): Map<Registration, readonly PfnRun[]> {
  const bills = new Map<Registration, PfnRun[]>();
  if (questions.length === 1) return bills;
  for (const { voters, runs } of questions) {
    for (const voter of voters) {
      if (voter.budget === undefined) continue;
      const bill = bills.get(voter);
      if (bill === undefined) bills.set(voter, [...runs]);
      else bill.push(...runs);
    }
  }
  return bills;
}

function refusals(operation: Operation): Operation['refusals'] {
  if (operation.refusals.length === 0) return operation.refusals;
  return operation.refusals.filter(({ consumer }) => consumer.active);
}

function giveReasons(file: FileCore, operation: Operation): void {
  const refused = refusals(operation);
  for (const { consumer, start, end, error } of refused) {
    operation.failed(`"${consumer.name}" refused ${formatRange(start, end)}`, error);
  }
  const { consumer, start, error } = refused[0]!;
  const own = error instanceof MemfileError ? error : undefined;
  const page = own?.refused?.page ?? start;
  const holders = file.held([{ start: page, end: page + 1 }])?.holders ?? [];
  operation.refuse(own?.code ?? 'EBUSY', { consumer: consumer.name, page, holders });
}
