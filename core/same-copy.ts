import { MemfileError } from './errno.js';
import { COPY, describeCopy, fromAnotherCopy, otherCopyOf } from './copy.js';

/**
 * @param what for people: 'the journal'.
 * @throws MemfileError EINVAL when `value` was made by another copy of this package: its errors,
 * its promises and its classes are not those of this one.
 */
export function checkSameCopy(syscall: string, what: string, value: unknown): void {
  const theirs = otherCopyOf(value);
  if (theirs === undefined) return;
  throw new MemfileError('EINVAL', syscall, `${what} ${fromAnotherCopy(theirs)}`);
}

/**
 * For the constructor of a class that serves as a token: tsyringe makes an empty object of a class
 * that is not registered, without a word.
 * @throws MemfileError EINVAL when the abstract class itself is being made.
 */
export function refuseAbstract(made: { readonly name: string }, target: unknown): void {
  if (target !== made) return;
  throw new MemfileError(
    'EINVAL',
    'resolve',
    `no ${made.name} is registered in this container: resolve from memfile.container or a child ` +
      `of it, and import ${made.name} from the copy of memfile that made it; this one is ` +
      describeCopy(COPY),
  );
}
