import type { FileCore } from './file-core.js';
import { tell } from './notifier-list.js';
import type { Operation } from './operation.js';
import type { PageRange } from './page-range.js';
import { prepare } from './preparation.js';
import type { Registration } from './registration.js';

/**
 * Tells a new consumer of the pages that were there before it, as if they arrived now. `then`
 * comes when it knows of all of them; if it refuses any, it has rolled back and left.
 */
export function replayTo(
  file: FileCore,
  operation: Operation,
  registration: Registration,
  then: () => void,
): void {
  const stretches = registration.snapshot;
  const record = (
    callback: 'prepare' | 'fallocate' | 'rollback',
    { start, end }: PageRange,
  ): number =>
    file.record(operation, {
      type: 'replay',
      file: file.state.id,
      operation: operation.id,
      registration: registration.id,
      callback,
      start,
      end,
    });
  const voters = registration.votes ? [registration] : [];
  prepare(
    file,
    operation,
    stretches,
    () => voters,
    'replay',
    record,
    (agreed) => {
      if (!agreed) {
        registration.unsubscribe();
        operation.finish();
        return;
      }
      for (const stretch of stretches) {
        if (!registration.active) break; // It left while it was asked.
        const pass = file.pass(operation, 'fallocate', 'replay', record('fallocate', stretch));
        tell(registration, pass, stretch.start, stretch.end);
      }
      operation.whenLetGo('the consumer knows what is there', () => {
        if (operation.hasFailed) {
          operation.effect = 'none'; // A consumer that is half informed is not left in the list.
          registration.unsubscribe();
        }
        then();
      });
    },
  );
}
