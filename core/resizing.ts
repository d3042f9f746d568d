import { depart } from './departure.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import type { Operation, Step } from './operation.js';
import type { OperationOptions } from './options.js';
import { refusesTruncate } from './refusals.js';

export function truncating(
  file: FileCore,
  pages: number,
  { reason = 'truncate' }: OperationOptions,
): Step {
  return (operation) => {
    const refusal = refusesTruncate(file, pages);
    if (refusal !== undefined) throw refusal;
    resize(file, operation, pages, reason, file.finish);
  };
}

/** Sets the size of a file, in pages; what lies past it leaves. */
function resize(
  file: FileCore,
  operation: Operation,
  pages: number,
  reason: Reason,
  then: Step,
): void {
  const { state } = file;
  const end = Math.max(state.pages, state.frames.limit);
  if (pages !== state.pages) {
    file.record(operation, { type: 'resize', file: state.id, operation: operation.id, pages });
  }
  if (pages >= end) {
    then(operation);
    return;
  }
  depart(file, operation, pages, end, reason, () => {
    // The size has changed even if the store kept the pages.
    if (operation.effect === 'none') operation.effect = 'partial';
    then(operation);
  });
}
