import { MemfileError } from './errno.js';
import type { FileCore } from './file-core.js';
import type { Operation } from './operation.js';
import { checkOptions, type OperationOptions } from './options.js';
import { checkRange } from './page-range.js';

/**
 * Starts an operation on a range that somebody gave, or lets it wait for its turn; arguments are
 * checked at once. Rejects, and never throws.
 */
export function submit<T = void>(
  { engine }: FileCore,
  operation: Operation,
  options: OperationOptions,
  check?: () => void,
): Promise<T> {
  const { syscall } = operation;
  try {
    check?.();
    checkRange(syscall, operation.from, operation.to);
    checkOptions(syscall, options ?? NO_OPTIONS);
    if (engine.closing) {
      throw new MemfileError('EBADF', syscall, 'the memfile is being torn down');
    }
  } catch (error) {
    return Promise.reject(error as MemfileError);
  }
  return engine.submit(operation, options?.signal);
}

export const NO_OPTIONS: OperationOptions = {};
