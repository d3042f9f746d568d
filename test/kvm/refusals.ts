import { MemfileError } from '../../core/index.js';

const REFUSALS: ReadonlySet<string> = new Set([
  'EINVAL',
  'EEXIST',
  'EBADF',
  'ENOENT',
  'EAGAIN',
  'EFAULT',
  // A device refuses or fails; the store has no room; a page is poisoned.
  'EBUSY',
  'EIO',
  'ENOMEM',
  'EHWPOISON',
]);

/** Whether a change may be refused so; nothing else, and nothing unexpected. */
export function isRefusal(error: unknown): error is MemfileError {
  return error instanceof MemfileError && REFUSALS.has(error.code);
}
