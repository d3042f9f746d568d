import { MemfileError, show } from '../../core/errno.js';
import type { Access, MemoryFile, PageRange, Scheduler } from '../../core/index.js';
import { isPageCount } from '../../core/page-range.js';
import type { Witness } from '../witness.js';

/** The mappings of a device by default, as `dma_entry_limit` of VFIO. */
export const DMA_ENTRY_LIMIT = 65_535;

export interface EncryptedDeviceOptions {
  readonly name?: string | undefined;
  /** How many mappings it may have, of all files together; {@link DMA_ENTRY_LIMIT} by default. */
  readonly limit?: number | undefined;
  /**
   * Whether it keeps a lease of every page that it has mapped: it cannot follow pages that a store
   * takes away, and pages cannot be converted under it. False by default.
   */
  readonly pins?: boolean | undefined;
  /** Which pages it can use; 'both' by default. */
  readonly access?: Access | undefined;
  /** Gives a key, 64 bytes in two different halves; random by default. */
  readonly key?: (() => Uint8Array) | undefined;
  /** Asked before a flush is done, a DMA reaches memory, a page is mapped; a microtask by default. */
  readonly scheduler?: Scheduler | undefined;
  readonly witness?: Witness | undefined;
}

export interface AttachOptions {
  /** The pages of the file that it may use, half-open; from 0 as far as there is room by default. */
  readonly range?: PageRange | undefined;
  /** The I/O virtual page of the first of them; 0 by default. */
  readonly iova?: number | undefined;
}

/** @throws MemfileError EINVAL for what is no option of a device. */
export function checkDeviceOptions(options: EncryptedDeviceOptions): void {
  const { name, limit, pins, access, key, scheduler } = asObject('device', 'options', options);
  const check = (what: string, value: unknown, good: boolean, kind: string): void => {
    if (value !== undefined && !good) throw refused('device', what, kind, value);
  };
  check('name', name, typeof name === 'string', 'a string');
  check('limit', limit, isPageCount(limit), 'a count');
  check('pins', pins, typeof pins === 'boolean', 'a boolean');
  const sides: readonly unknown[] = ['private', 'shared', 'both'];
  check('access', access, sides.includes(access), "'private', 'shared' or 'both'");
  check('key', key, typeof key === 'function', 'a function');
  check('scheduler', scheduler, typeof scheduler?.schedule === 'function', 'a Scheduler');
}

/** @throws MemfileError EINVAL for no memory file, no options or no address. */
export function checkAttachment(file: MemoryFile, options: AttachOptions): void {
  const { register } = asObject<Partial<MemoryFile>>('attach', 'file', file);
  if (typeof register !== 'function') throw refused('attach', 'file', 'a memory file', file);
  const { range, iova } = asObject('attach', 'options', options);
  if (range !== undefined) asObject('attach', 'range', range);
  if (iova !== undefined && !isPageCount(iova)) throw refused('attach', 'iova', 'a page', iova);
}

function asObject<T extends object>(syscall: string, what: string, value: T): T {
  if (typeof value === 'object' && value !== null) return value;
  throw refused(syscall, what, 'an object', value);
}

function refused(syscall: string, what: string, kind: string, value: unknown): MemfileError {
  return new MemfileError('EINVAL', syscall, `${what} must be ${kind}, got ${show(value)}`);
}
