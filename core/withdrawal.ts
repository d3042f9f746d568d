import type { Conversion, Side } from './capabilities.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import { tell } from './notifier-list.js';
import type { Operation } from './operation.js';
import type { PageRange } from './page-range.js';
import type { Registration } from './registration.js';

/** What of the pages told a consumer still has at the end. */
export type Keeps = (consumer: Registration) => readonly PageRange[];

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
  then: () => void,
): void {
  const where = { file: file.state.id, operation: operation.id, start, end, reason };
  const begun = file.record(operation, { type: 'invalidate', ...where });
  const told = { start, end, consumers: [] as Registration[] };
  file.told.set(operation.id, told);
  const pass = file.pass(operation, 'invalidate', reason, begun, { conversion });
  file.notifiers.tellDeparture(pass, start, end, told.consumers, unless);
  operation.whenLetGo('every consumer has let go', () => {
    const keeps = between();
    const ended = file.record(operation, { type: 'invalidateEnd', ...where });
    const plain = file.pass(operation, 'invalidateEnd', reason, ended, { begun, conversion });
    for (let last = told.consumers.pop(); last !== undefined; last = told.consumers.pop()) {
      const kept = keeps(last);
      tell(last, kept.length === 0 ? plain : plain.keeping(kept), start, end);
    }
    file.told.delete(operation.id);
    operation.whenLetGo('every consumer knows the end', then);
  });
}
