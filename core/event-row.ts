import { SIDES } from './capabilities.js';
import {
  NOTIFIER_CALLBACKS,
  OUTCOMES,
  REASONS,
  type JournalEvent,
  type NotifierCallback,
  type PageEvent,
  type Reason,
  type Recorded,
} from './event.js';

/**
 * Events in rows of 32 bytes: eight words of which the last four are two doubles.
 *
 *   0  type (8 bits), file (24)            4–5  start, or offset
 *   1  reason or order (8), registration (24)  6–7  pfn
 *   2  operation
 *   3  pages
 */
export const ROW_BYTES = 32;

/** In the order of their codes: add at the end only. */
export const ROW_TYPES = [
  'payload',
  'fallocate',
  'invalidate',
  'invalidateEnd',
  'kept',
  'quarantine',
  'lookup',
  'put',
  'left',
  'unregister',
  'prepare',
  'rollback',
  'convert',
  'usable',
  'poison',
  'error',
  'delivery',
  'answer',
  'grace',
  'time',
] as const satisfies readonly (PageEvent['type'] | 'payload')[];

/** The codes of the most frequent events. */
export const ROW = {
  fallocate: 1,
  invalidate: 2,
  invalidateEnd: 3,
  lookup: 6,
  put: 7,
} as const satisfies { readonly [Type in PageEvent['type']]?: number };

/** Whether such numbers fit a row. */
export function fitsRow(file: number, operation: number, length: number): boolean {
  return file <= 0xffffff && operation <= 0xffffffff && length <= 0xffffffff;
}

/** As above, of a lease. */
export function fitsLease(file: number, registration: number, order: number): boolean {
  return file <= 0xffffff && registration <= 0xffffff && order <= 0xff;
}

/** The second word of a row that has more than a reason. */
export function detailOf(detail: number, registration: number): number {
  return (detail | (registration << 8)) >>> 0;
}

/** The first word of a row. */
export function headOf(type: number, file: number): number {
  return (type | (file << 8)) >>> 0;
}

type Arrival = Extract<PageEvent, { readonly type: 'fallocate' }>;

/** An event of a range of pages that has a reason and nothing more. */
type ReasonedRange = Extract<
  PageEvent,
  { readonly type: 'invalidate' | 'invalidateEnd' | 'prepare' | 'rollback' | 'usable' | 'error' }
>;

/** Its place in `REASONS`: to compare with what is known beforehand is sooner than any search. */
export function codeOfReason(reason: Reason): number {
  switch (reason) {
    case 'fallocate':
      return 0;
    case 'fault':
      return 1;
    case 'punch':
      return 2;
    case 'truncate':
      return 3;
    case 'madvise':
      return 4;
    case 'close':
      return 5;
    case 'device':
      return 6;
    case 'replay':
      return 7;
    case 'convert':
      return 8;
    case 'poison':
      return 9;
  }
}

/** The rows of one stretch of positions. */
export class RowSegment {
  /** Eight of a row, as above. */
  readonly words: Uint32Array;
  /** Four of a row, in the same memory. */
  readonly doubles: Float64Array;

  /**
   * @param rows how many there are room for, or what `bytes` answered; that is used as it is where
   * doubles are aligned in it.
   */
  constructor(rows: number | Uint8Array) {
    const bytes = typeof rows === 'number' ? new Uint8Array(rows * ROW_BYTES) : aligned(rows);
    const { buffer, byteOffset, length } = bytes;
    this.words = new Uint32Array(buffer, byteOffset, length / 4);
    this.doubles = new Float64Array(buffer, byteOffset, length / 8);
  }

  /** The rows `[from, to)`, not copied; little-endian, as every machine that runs this is. */
  bytes(from: number, to: number): Uint8Array {
    const { buffer, byteOffset } = this.words;
    return new Uint8Array(buffer, byteOffset + from * ROW_BYTES, (to - from) * ROW_BYTES);
  }

  /** Writes a row; false when the event does not fit one and has to be kept as a payload. */
  write(row: number, event: JournalEvent): boolean {
    switch (event.type) {
      case 'fallocate':
        return this.#range(row, 1, event, event.pfn);
      case 'invalidate':
        return this.#range(row, 2, event, 0);
      case 'invalidateEnd':
        return this.#range(row, 3, event, 0);
      case 'prepare':
        return this.#range(row, 10, event, 0);
      case 'rollback':
        return this.#range(row, 11, event, 0);
      case 'usable':
        return this.#range(row, 13, event, 0);
      case 'error':
        return this.#range(row, 15, event, 0);
      case 'kept':
        return this.#put(row, 4, event.file, 0, 0, event.operation, pages(event), event.start, 0);
      case 'quarantine': {
        const { file, operation, start, pfn } = event;
        return this.#put(row, 5, file, 0, 0, operation, pages(event), start, pfn);
      }
      case 'lookup':
      case 'put': {
        const { file, registration, offset, pfn, order } = event;
        const code = event.type === 'lookup' ? 6 : 7;
        return this.#put(row, code, file, order, registration, 0, 0, offset, pfn);
      }
      case 'left': {
        const { file, operation, registration, start } = event;
        return this.#put(row, 8, file, 0, registration, operation, pages(event), start, 0);
      }
      case 'unregister':
        return this.#put(row, 9, event.file, 0, event.registration, 0, 0, 0, 0);
      case 'convert': {
        const { file, operation, start } = event;
        const side = SIDES.indexOf(event.to);
        return this.#put(row, 12, file, side, 0, operation, pages(event), start, 0);
      }
      case 'poison':
        return this.#put(row, 14, event.file, 0, 0, event.operation, pages(event), event.start, 0);
      case 'delivery': {
        const { file, operation, registration, of, callback, start, reason } = event;
        const detail = codeOf(callback) | (codeOfReason(reason) << CALLBACK_BITS);
        return this.#put(row, 16, file, detail, registration, operation, pages(event), start, of);
      }
      case 'answer': {
        const { file, operation, registration, of, callback, outcome } = event;
        const detail = codeOf(callback) | (OUTCOMES.indexOf(outcome) << CALLBACK_BITS);
        return this.#put(row, 17, file, detail, registration, operation, 0, 0, of);
      }
      case 'grace':
        return this.#put(row, 18, event.file, 0, event.registration, 0, 0, 0, 0);
      case 'time':
        return this.#put(row, 19, 0, 0, 0, 0, 0, event.ms, 0);
      default:
        return false;
    }
  }

  /** Writes a row as it is: six numbers, of which the first four are words. */
  put(
    row: number,
    head: number,
    detail: number,
    operation: number,
    length: number,
    start: number,
    pfn: number,
  ): void {
    const word = row * 8;
    const wide = row * 4;
    const { words, doubles } = this;
    words[word] = head;
    words[word + 1] = detail;
    words[word + 2] = operation;
    words[word + 3] = length;
    doubles[wide + 2] = start;
    doubles[wide + 3] = pfn;
  }

  /** Lets a row that a payload stands in for carry a checksum of it. */
  mark(row: number, checksum: number): void {
    this.words[row * 8 + 2] = checksum;
  }

  /** What {@link mark} was given. */
  markOf(row: number): number {
    return this.words[row * 8 + 2]!;
  }

  /** Whether a payload stands in for the row. */
  isEmpty(row: number): boolean {
    return (this.words[row * 8]! & 0xff) === 0;
  }

  /**
   * The event of a row, with the position that it is told to have, or undefined where a payload
   * stands in for it.
   */
  read(row: number, position: number): Recorded<PageEvent> | undefined {
    const { words, doubles } = this;
    const word = row * 8;
    const wide = row * 4;
    const type = ROW_TYPES[words[word]! & 0xff]!;
    const file = words[word]! >>> 8;
    // What is read here is converted here, whatever the type: only what most events have.
    switch (type) {
      case 'payload':
        return undefined;
      case 'fallocate': {
        const operation = words[word + 2]!;
        const start = doubles[wide + 2]!;
        const end = start + words[word + 3]!;
        const pfn = doubles[wide + 3]!;
        const reason = REASONS[words[word + 1]! & 0xff]!;
        return { type, file, operation, start, end, pfn, reason, position };
      }
      case 'invalidate':
      case 'invalidateEnd':
      case 'prepare':
      case 'rollback':
      case 'usable':
      case 'error': {
        const operation = words[word + 2]!;
        const start = doubles[wide + 2]!;
        const end = start + words[word + 3]!;
        const reason = REASONS[words[word + 1]! & 0xff]!;
        return { type, file, operation, start, end, reason, position };
      }
      default:
        return this.#readOther(type, row, position);
    }
  }

  #readOther(
    type: Exclude<(typeof ROW_TYPES)[number], 'payload' | 'fallocate' | ReasonedRange['type']>,
    row: number,
    position: number,
  ): Recorded<PageEvent> {
    const word = row * 8;
    const { words, doubles } = this;
    const file = words[word]! >>> 8;
    const detail = words[word + 1]! & 0xff;
    const registration = words[word + 1]! >>> 8;
    const operation = words[word + 2]!;
    const start = doubles[row * 4 + 2]!;
    const end = start + words[word + 3]!;
    const pfn = doubles[row * 4 + 3]!;
    switch (type) {
      case 'convert':
        return { type, file, operation, start, end, to: SIDES[detail]!, position };
      case 'kept':
      case 'poison':
        return { type, file, operation, start, end, position };
      case 'quarantine':
        return { type, file, operation, start, end, pfn, position };
      case 'lookup':
      case 'put':
        return { type, file, registration, offset: start, pfn, order: detail, position };
      case 'left':
        return { type, file, operation, registration, start, end, position };
      case 'unregister':
      case 'grace':
        return { type, file, registration, position };
      case 'delivery': {
        const callback = callbackOf(detail);
        const reason = REASONS[detail >>> CALLBACK_BITS]!;
        return {
          type,
          file,
          operation,
          registration,
          of: pfn,
          callback,
          start,
          end,
          reason,
          position,
        };
      }
      case 'answer': {
        const callback = callbackOf(detail);
        const outcome = OUTCOMES[detail >>> CALLBACK_BITS]!;
        return { type, file, operation, registration, of: pfn, callback, outcome, position };
      }
      case 'time':
        return { type, ms: start, position };
    }
  }

  #range(row: number, type: number, event: Arrival | ReasonedRange, pfn: number): boolean {
    const { file, operation, start } = event;
    const length = event.end - start;
    if (!fitsRow(file, operation, length)) return false;
    const word = row * 8;
    const wide = row * 4;
    const { words, doubles } = this;
    words[word] = headOf(type, file);
    words[word + 1] = codeOfReason(event.reason);
    words[word + 2] = operation;
    words[word + 3] = length;
    doubles[wide + 2] = start;
    doubles[wide + 3] = pfn;
    return true;
  }

  #put(
    row: number,
    type: number,
    file: number,
    detail: number,
    registration: number,
    operation: number,
    length: number,
    start: number,
    pfn: number,
  ): boolean {
    if (!fitsRow(file, operation, length) || registration > 0xffffff || detail > 0xff) return false;
    const details = detailOf(detail, registration);
    this.put(row, headOf(type, file), details, operation, length, start, pfn);
    return true;
  }
}

const single = new RowSegment(1);

/** The event that such a row is of. */
export function eventOfRow(
  head: number,
  detail: number,
  operation: number,
  length: number,
  start: number,
  pfn: number,
): PageEvent {
  single.put(0, head, detail, operation, length, start, pfn);
  const { position: _, ...event } = single.read(0, 0)!;
  return event;
}

function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
}

/** A callback and what else there is to say share the byte of details. */
const CALLBACK_BITS = 3;

function codeOf(callback: NotifierCallback): number {
  return NOTIFIER_CALLBACKS.indexOf(callback);
}

function callbackOf(detail: number): NotifierCallback {
  return NOTIFIER_CALLBACKS[detail & (2 ** CALLBACK_BITS - 1)]!;
}

function pages(range: { readonly start: number; readonly end: number }): number {
  return range.end - range.start;
}
