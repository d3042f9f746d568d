import {
  CONTENT_MODES,
  MOVEMENTS,
  type Access,
  SIDES,
  type ContentMode,
  type Conversion,
  type MappingBudget,
  type Movement,
} from './capabilities.js';
import { MemfileError, show } from './errno.js';
import { REASONS, SEALS, type NotifierCallback, type Reason, type Seal } from './event.js';
import type { Notifier } from './notifier.js';
import { isPageCount, type PageRange } from './page-range.js';
import type { Registration } from './registration.js';

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

export interface ConvertOptions extends Omit<OperationOptions, 'reason'> {
  /** What becomes of the contents of the pages that are there; 'unspecified' by default. */
  readonly content?: ContentMode | undefined;
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
  /** Which pages are its business: those of one side exist for it while they are so. 'both' by default. */
  readonly access?: Access | undefined;
  /** The most that it can follow; 'movable', which is everything, by default. */
  readonly follows?: Movement | undefined;
  /** How many mappings it may have: pages that it has no room for do not arrive (ENOSPC). */
  readonly budget?: MappingBudget | undefined;
  /** Cancels the registration while it is queued, and unregisters it later. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called in the step in which it takes its place: observers that subscribe here miss nothing, not
   * even a replay. The promise resolves later, and other operations may have begun by then. When it
   * throws, the registration leaves again and `register` rejects.
   */
  readonly joined?: ((registration: Registration) => void) | undefined;
}

/** The same, read once, with the pages that it is about. */
export interface Enlistment extends Omit<RegisterOptions, 'range'>, PageRange {}

export type NotificationsOptions = Omit<RegisterOptions, 'replay' | 'joined'>;

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

/** @throws MemfileError EINVAL for what is no notifier, no name, or no declaration of a consumer. */
export function checkConsumer(syscall: string, notifier: Notifier, asked: RegisterOptions): void {
  const { name, joined } = asked;
  const refuse = (detail: string): MemfileError => new MemfileError('EINVAL', syscall, detail);
  if (typeof notifier !== 'object' || notifier === null) {
    throw refuse(`needs a notifier, got ${show(notifier)}`);
  }
  const callback = (called: NotifierCallback, value: unknown): void => {
    if (typeof value === 'function' || value === undefined || value === null) return;
    throw refuse(`${called} must be a function, got ${typeof value}`);
  };
  callback('prepare', notifier.prepare);
  callback('fallocate', notifier.fallocate);
  callback('rollback', notifier.rollback);
  callback('invalidate', notifier.invalidate);
  callback('invalidateEnd', notifier.invalidateEnd);
  callback('error', notifier.error);
  const called: unknown = name ?? notifier.name;
  if (called !== undefined && typeof called !== 'string') throw refuse('name must be a string');
  if (joined !== undefined && typeof joined !== 'function') {
    throw refuse('joined must be a function');
  }
  checkDeclared(syscall, asked);
}

/** @throws MemfileError EINVAL for what no consumer can declare of itself. */
export function checkDeclared(syscall: string, { access, follows, budget }: RegisterOptions): void {
  if (access !== undefined) checkAccess(syscall, access);
  if (follows !== undefined) checkOneOf(syscall, 'follows', follows, MOVEMENTS);
  if (budget === undefined) return;
  const { limit, used, cost } = budget ?? {};
  if (isPageCount(limit) && isPageCount(used) && typeof cost === 'function') return;
  throw new MemfileError('EINVAL', syscall, 'a budget needs a limit, what is used, and cost()');
}

/** @throws MemfileError EINVAL for another kind of access. */
export function checkAccess(syscall: string, access: Access): void {
  checkOneOf(syscall, 'access', access, [...SIDES, 'both']);
}

/** @throws MemfileError EINVAL for another side or content mode. */
export function checkConversion(syscall: string, { to, content }: Conversion): void {
  checkOneOf(syscall, 'to', to, SIDES);
  checkOneOf(syscall, 'content', content, CONTENT_MODES);
}

function checkOneOf(syscall: string, what: string, value: string, names: readonly string[]): void {
  if (names.includes(value)) return;
  const known = names.map((name) => `'${name}'`).join(', ');
  throw new MemfileError('EINVAL', syscall, `${what} must be one of ${known}, got ${show(value)}`);
}

/** @throws MemfileError EINVAL for no seal at all, or an unknown one. */
export function checkSeals(syscall: string, seals: readonly Seal[]): void {
  const unknown = seals.filter((seal) => !SEALS.includes(seal));
  if (unknown.length === 0 && seals.length > 0) return;
  const known = SEALS.map((seal) => `'${seal}'`).join(', ');
  const wrong = `${unknown.map(show).join()} is no seal; known are ${known}`;
  throw new MemfileError('EINVAL', syscall, wrong);
}
