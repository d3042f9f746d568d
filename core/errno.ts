import { brand, fromAnotherCopy, otherCopyOf } from './copy.js';

/**
 * The errors of the framework, in the shape of Node's system errors.
 *
 * One table holds every code that is thrown: its number on Linux, what it means here, and what the
 * caller can do about it. Codes never change their meaning between versions; messages may.
 */

interface ErrnoEntry {
  /** The number on Linux; errors carry it negated, as Node does. */
  readonly errno: number;
  readonly text: string;
  readonly cause: string;
  readonly cure: string;
}

export const ERRNO = {
  EPERM: {
    errno: 1,
    text: 'operation not permitted',
    cause: 'a seal or a flag of the file forbids it',
    cure: 'create the file without that seal or flag',
  },
  ENOENT: {
    errno: 2,
    text: 'no such page',
    cause: 'the page is a hole: lookups never allocate',
    cure: 'await fallocate() of the page, then look it up again',
  },
  EINTR: {
    errno: 4,
    text: 'interrupted',
    cause: 'the AbortSignal fired while the operation was queued',
    cure: 'nothing was changed: submit it again if it is still wanted',
  },
  EIO: {
    errno: 5,
    text: 'input/output error',
    cause: 'a consumer, the backing store or the journal failed',
    cure: 'read `effect` for what was done and `cause` for who failed',
  },
  EBADF: {
    errno: 9,
    text: 'already closed',
    cause: 'the file, registration or lease was closed before the call took its turn',
    cure: 'use it before it is closed, or open a new one',
  },
  EAGAIN: {
    errno: 11,
    text: 'try again',
    cause: 'a change that is under way got in between before anything was done',
    cure: 'wait until that change is over, then make the same call again',
  },
  ENOMEM: {
    errno: 12,
    text: 'out of memory',
    cause: 'the backing store has no room for what it has to remember',
    cure: 'nothing was changed: free some of it, or ask for less',
  },
  EFAULT: {
    errno: 14,
    text: 'bad address',
    cause: 'no memory can be given there: past the end, in a closed file, or of the other side',
    cure: 'correct the address, the memslot or the attributes, or open the file again',
  },
  EBUSY: {
    errno: 16,
    text: 'resource busy',
    cause: 'somebody still holds it',
    cure: 'put the leases or end the reader sections, then try again',
  },
  EEXIST: {
    errno: 17,
    text: 'already exists',
    cause: 'the range overlaps another one that was there first',
    cure: 'delete the other one, or choose a range that is free',
  },
  ENODEV: {
    errno: 19,
    text: 'no such device',
    cause: 'the memory of the device is revoked, or it has no such region',
    cure: 'wait until the device enables it again, and correct the region',
  },
  EINVAL: {
    errno: 22,
    text: 'invalid argument',
    cause: 'an argument is missing, of the wrong kind or out of its range',
    cure: 'correct the call; the message names the argument',
  },
  EFBIG: {
    errno: 27,
    text: 'file too large',
    cause: 'the range ends past the largest file (2^51 pages)',
    cure: 'ask for a smaller range',
  },
  ENOSPC: {
    errno: 28,
    text: 'no space left',
    cause: 'the backing store has no frame left, or never could have that many',
    cure: 'punch holes, close files, or give the store a larger limit',
  },
  EDEADLK: {
    errno: 35,
    text: 'deadlock avoided',
    cause: 'the promise cannot settle before this very reader section is over',
    cure: 'start the operation, but do not make the section wait for it',
  },
  EBADMSG: {
    errno: 74,
    text: 'damaged data',
    cause: 'what was read is not what was written',
    cure: 'read as far as it is good, and take the rest from a copy',
  },
  EOVERFLOW: {
    errno: 75,
    text: 'value too large',
    cause: 'the sum of an offset and a size is larger than any address',
    cure: 'correct the range',
  },
  EOPNOTSUPP: {
    errno: 95,
    text: 'operation not supported',
    cause: 'no backing store claims the file, or store and consumer do not go together',
    cure: 'check the name of the store and its capabilities',
  },
  ENOBUFS: {
    errno: 105,
    text: 'no buffer space',
    cause: 'a consumer is slower than its source, and its buffer is full',
    cure: 'give it a larger capacity, or a policy that merges or drops',
  },
  ESTALE: {
    errno: 116,
    text: 'stale page',
    cause: 'the page left the file since it was looked up',
    cure: 'put the lease and look the page up again',
  },
  EHWPOISON: {
    errno: 133,
    text: 'memory page has a hardware error',
    cause: 'the frame of the page is poisoned',
    cure: 'punch the page, so that it gets another frame',
  },
} as const satisfies Record<string, ErrnoEntry>;

export type ErrnoCode = keyof typeof ERRNO;

/**
 * What a failed operation did all the same: nothing, a part of it, or all of it (and only the
 * company failed, as when a consumer throws at a punch that cannot be refused).
 */
export type Effect = 'none' | 'partial' | 'done';

/** Who did not agree to an operation, and about which page; the kernel gives only an offset. */
export interface Refused {
  /** The consumer that said no, or the first that holds the page. */
  readonly consumer: string;
  /** The first page that it is about. */
  readonly page: number;
  /** The consumers that hold leases of that page. */
  readonly holders: readonly string[];
}

export interface MemfileErrorOptions {
  readonly effect?: Effect;
  readonly refused?: Refused | undefined;
  readonly cause?: unknown;
}

/** Every error that the framework throws or rejects with. */
export class MemfileError extends Error {
  override readonly name = 'MemfileError';
  readonly code: ErrnoCode;
  /** Negative, as in Node's system errors: -22 for EINVAL. */
  readonly errno: number;
  /** The method that failed: 'punchHole', 'register', … */
  readonly syscall: string;
  readonly effect: Effect;
  /** Set when a consumer was in the way of an operation that can be refused. */
  readonly refused?: Refused;

  /** @param detail what was wrong, and what to do where the table does not say it. */
  constructor(code: ErrnoCode, syscall: string, detail: string, options: MemfileErrorOptions = {}) {
    super(
      `${code}: ${ERRNO[code].text}, ${syscall}: ${detail}`,
      'cause' in options ? { cause: options.cause } : undefined,
    );
    this.code = code;
    this.errno = -ERRNO[code].errno;
    this.syscall = syscall;
    this.effect = options.effect ?? 'none';
    if (options.refused !== undefined) this.refused = options.refused;
  }
}

/** Passes a MemfileError through and wraps anything else that a plugin may have thrown as EIO. */
export function asMemfileError(error: unknown, syscall: string, who: string): MemfileError {
  if (error instanceof MemfileError) return error;
  const copy = otherCopyOf(error);
  if (copy !== undefined) {
    const what = `${messageOf(error)}; its error ${fromAnotherCopy(copy)}`;
    return new MemfileError('EIO', syscall, `${who} failed: ${what}`, { cause: error });
  }
  return new MemfileError('EIO', syscall, `${who} failed: ${messageOf(error)}`, { cause: error });
}

/** What a failure says, whatever was thrown; never throws itself. */
export function messageOf(error: unknown): string {
  try {
    return show(error instanceof Error ? error.message : error);
  } catch {
    return 'an error that cannot be read';
  }
}

/** A value in a message; never throws, as `String` does for some. */
export function show(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `a ${typeof value} that cannot be shown`;
  }
}

brand(MemfileError);
