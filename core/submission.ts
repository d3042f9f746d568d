import { MemfileError } from './errno.js';
import type { FileCore } from './file-core.js';
import type { Operation, Step } from './operation.js';
import { checkOptions, type OperationOptions } from './options.js';
import { checkRange, type PageRange } from './page-range.js';

/**
 * Starts an operation on a range that somebody gave, or lets it wait for its turn; arguments are
 * checked at once. Rejects, and never throws.
 */
export function submit<T = void>(
  file: FileCore,
  syscall: string,
  start: number,
  end: number,
  options: OperationOptions,
  body: Step,
  check?: () => void,
): Promise<T> {
  const { engine } = file;
  try {
    check?.();
    checkRange(syscall, start, end);
    checkOptions(syscall, options ?? {});
    if (engine.closing) {
      throw new MemfileError('EBADF', syscall, 'the memfile is being torn down');
    }
  } catch (error) {
    return Promise.reject(error as MemfileError);
  }
  const operation = operationOn(file, syscall, { start, end }, body);
  return engine.submit(operation, options?.signal);
}

/** The operation itself; what it is about is checked when its turn comes. */
export function operationOn(
  file: FileCore,
  syscall: string,
  range: PageRange,
  body: Step,
): Operation {
  return file.operation(syscall, range, (operation) => {
    const { engine, state } = file;
    if (file.closed) throw new MemfileError('EBADF', syscall, `"${state.name}" is closed`);
    engine.checkJournal(syscall);
    operation.id = engine.state.lastOperation + 1;
    body(operation);
  });
}
