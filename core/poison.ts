import { MemfileError } from './errno.js';
import type { FileCore } from './file-core.js';
import type { Operation, Step } from './operation.js';
import type { PageRange } from './page-range.js';
import { Withdrawal } from './withdrawal.js';

/** The frame of a page of the file has an error; once is enough. */
export function poisoning(file: FileCore, page: number): Step {
  return (operation) => {
    const { state } = file;
    if (!state.frames.has(page)) {
      throw new MemfileError('ENOENT', 'poison', `page ${page} of "${file.name}" has no frame`);
    }
    if (state.poisoned.has(page)) file.finish(operation);
    else poison(file, operation, operation, file.finish);
  };
}

/**
 * The frames of pages `[start, end)` have a hardware error, as `kvm_gmem_error_folio` has it: every
 * consumer lets go, the pages stay and cannot be looked up any more, and consumers are told why.
 * The frames are never used again.
 */
function poison(file: FileCore, operation: Operation, { start, end }: PageRange, then: Step): void {
  const reason = 'poison';
  const where = { file: file.state.id, operation: operation.id, start, end };
  const tell = (): void => {
    const position = file.record(operation, { type: 'error', ...where, reason });
    const audience = file.notifiers.concerned(start, end);
    file.tell(audience, operation, 'error', reason, position, position, start, end);
    operation.whenLetGo('every consumer has taken notice', then);
  };
  new Withdrawal(file, operation, start, end, reason, between, tell).begin();
}

function between({ file, of, start, end }: Withdrawal): undefined {
  for (const range of file.state.frames.ranges(start, end)) {
    file.record(of, { type: 'poison', file: file.state.id, operation: of.id, ...range });
  }
}
