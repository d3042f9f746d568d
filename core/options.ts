import { MemfileError, show } from './errno.js';
import { REASONS, type Reason } from './event.js';
import type { Notifier } from './notifier.js';
import type { PageRange } from './page-range.js';

export interface OperationOptions {
  /** Cancels the operation while it is queued: EINTR. */
  readonly signal?: AbortSignal | undefined;
  /** What consumers and the journal are told; the method's own reason by default. */
  readonly reason?: Reason | undefined;
}

export interface FallocateOptions extends OperationOptions {
  /** Do not let the file grow, as FALLOC_FL_KEEP_SIZE. Pages past the end are kept all the same. */
  readonly keepSize?: boolean | undefined;
}

export interface RegisterOptions {
  /** Pages `[start, end)`; the whole file, however it grows, by default. */
  readonly range?: PageRange | undefined;
  /** In errors and in the journal; the notifier's own name by default. */
  readonly name?: string | undefined;
  /**
   * Tell the consumer of what is there as if it arrived now: `prepare`, then `fallocate`, with
   * reason 'replay'. If it refuses any of it, everything is rolled back and `register` rejects.
   */
  readonly replay?: boolean | undefined;
  /**
   * Ask its observers too before pages arrive: they are told `prepare` and `rollback`, and refuse
   * by throwing or rejecting. False by default: then only the callbacks of the notifier are asked.
   */
  readonly votes?: boolean | undefined;
  /** Cancels the registration while it is queued, and unregisters it later. */
  readonly signal?: AbortSignal | undefined;
}

export type NotificationsOptions = Omit<RegisterOptions, 'replay'>;

/** @throws MemfileError EINVAL for a bad reason or signal. */
export function checkOptions(syscall: string, { signal, reason }: OperationOptions): void {
  if (reason !== undefined && !REASONS.includes(reason)) {
    const known = REASONS.join(', ');
    const detail = `unknown reason ${show(reason)}; known are ${known}`;
    throw new MemfileError('EINVAL', syscall, detail);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new MemfileError('EINVAL', syscall, 'signal is no AbortSignal');
  }
}

const CALLBACKS = ['prepare', 'fallocate', 'rollback', 'invalidate', 'invalidateEnd'] as const;

/** Why these are no notifier and no name; undefined when they are. */
export function whatIsWrong(notifier: Notifier, name: unknown): string | undefined {
  if (typeof notifier !== 'object' || notifier === null) {
    return `needs a notifier, got ${show(notifier)}`;
  }
  for (const callback of CALLBACKS) {
    const value: unknown = notifier[callback] ?? undefined;
    if (value !== undefined && typeof value !== 'function') {
      return `${callback} must be a function, got ${typeof value}`;
    }
  }
  const called: unknown = name ?? notifier.name;
  if (called !== undefined && typeof called !== 'string') return 'name must be a string';
  return undefined;
}
