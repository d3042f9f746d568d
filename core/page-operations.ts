import { arrive } from './arrival.js';
import { depart } from './departure.js';
import { MemfileError } from './errno.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import type { Running, Step } from './operation.js';
import type { FallocateOptions, OperationOptions } from './options.js';
import { refusesFallocate, refusesPunch } from './refusals.js';

/** The two operations that there are most of, and their steps as others than `AtOnce` take them. */

export function fallocate(
  file: FileCore,
  operation: Running,
  reason: Reason,
  keepSize: boolean,
): void {
  const { from } = operation;
  const to = reason === 'fault' ? endOfFault(file, operation) : operation.to;
  const refusal = refusesFallocate(file, to);
  if (refusal !== undefined) throw refusal;
  arrive(file, operation, from, to, reason, !keepSize, file.finish);
}

/** A fault has nothing to find past the end of the file, wherever that is by now. */
function endOfFault({ name, state }: FileCore, { from, to, syscall }: Running): number {
  const end = Math.min(to, state.pages);
  if (from < end) return end;
  throw new MemfileError('EFAULT', syscall, `page ${from} is past the end of "${name}"`);
}

export function punch(file: FileCore, operation: Running, reason: Reason): void {
  const refusal = refusesPunch(file);
  if (refusal !== undefined) throw refusal;
  depart(file, operation, operation.from, operation.to, reason, file.finish);
}

export function fallocating(file: FileCore, options: FallocateOptions): Step {
  const { keepSize = false, reason = 'fallocate' } = options;
  return (operation) => fallocate(file, operation, reason, keepSize);
}

export function punching(file: FileCore, { reason = 'punch' }: OperationOptions): Step {
  return (operation) => punch(file, operation, reason);
}
