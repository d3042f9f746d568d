import type { Conversion, Side } from './capabilities.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import type { Operation, Step } from './operation.js';
import type { PageRange } from './page-range.js';
import type { OpenWithdrawal, Registration } from './registration.js';
import { tell } from './audience.js';

/** What of the pages told a consumer still has at the end; undefined when nobody has any. */
export type Keeps = ((consumer: Registration) => readonly PageRange[]) | undefined;

interface Withdrawal extends PageRange {
  readonly reason: Reason;
  /** Consumers of this side alone are not told: they never had the pages. */
  readonly unless?: Side | undefined;
  readonly conversion?: Conversion | undefined;
  /** What happens when every consumer has let go; an error that it throws ends nothing early. */
  readonly between: () => Keeps;
}

/**
 * Makes consumers let go of pages: announces that they leave, waits until every consumer told has
 * let go, does what has to be done, and tells the end in reverse. `then` comes when all is over.
 */
export function withdraw(
  file: FileCore,
  operation: Operation,
  { start, end, reason, unless, conversion, between }: Withdrawal,
  then: Step,
): void {
  const { engine, notifiers } = file;
  const { id } = file.state;
  const { id: of } = operation;
  const event = { type: 'invalidate', file: id, operation: of, start, end, reason } as const;
  const begun = file.record(operation, event);
  const open: OpenWithdrawal = { operation: of, start, end, unless };
  file.open.push(open);
  // Nobody comes before the end, as a registration is an operation too; some may leave.
  const audience = notifiers.concerned(start, end);
  const pass = file.pass(operation, 'invalidate', reason, begun, conversion && { conversion });
  audience.tellNewestFirst(engine, pass, start, end, unless);
  operation.whenLetGo('every consumer has let go', () => {
    const keeps = between();
    const event = { type: 'invalidateEnd', file: id, operation: of, start, end, reason } as const;
    const ended = file.record(operation, event);
    const pass = file.pass(operation, 'invalidateEnd', reason, ended, { begun, conversion });
    if (keeps === undefined) audience.tellOldestFirst(engine, pass, start, end, unless);
    else {
      for (const consumer of audience.members) {
        if (consumer.access === unless) continue;
        const kept = keeps(consumer);
        tell(engine, consumer, kept.length === 0 ? pass : pass.keeping(kept), start, end);
      }
    }
    if (file.open.at(-1) === open) file.open.pop();
    else file.open.splice(file.open.indexOf(open), 1);
    operation.whenLetGo('every consumer knows the end', then);
  });
}
