import { MemfileError, messageOf } from './errno.js';
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
  try {
    check?.();
    checkRange(operation.syscall, operation.from, operation.to);
    if (options !== NO_OPTIONS) checkOptions(operation.syscall, options ?? NO_OPTIONS);
    if (engine.closing) throw tornDown(operation);
  } catch (error) {
    return Promise.reject(badInput(operation.syscall, error));
  }
  return engine.submit(operation, options?.signal);
}

function tornDown({ syscall }: Operation): MemfileError {
  return new MemfileError('EBADF', syscall, 'the memfile is being torn down');
}

export const NO_OPTIONS: OperationOptions = {};

/** What reading arguments threw: getters of the caller's may throw anything. */
export function badInput(syscall: string, error: unknown): MemfileError {
  if (error instanceof MemfileError) return error;
  const why = `the arguments cannot be read: ${messageOf(error)}`;
  return new MemfileError('EINVAL', syscall, why, { cause: error });
}

/** Calls what answers a promise; what it throws on the way is an argument that cannot be read. */
export function neverThrows<T>(syscall: string, call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(badInput(syscall, error));
  }
}
