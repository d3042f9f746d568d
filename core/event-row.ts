import { SIDES } from './capabilities.js';
import { REASONS, type JournalEvent, type PageEvent, type Reason } from './event.js';

/**
 * Events in rows of 32 bytes: eight words of which the last four are two doubles.
 *
 *   0  type (8 bits), file (24)            4–5  start, or offset
 *   1  reason or order (8), registration (24)  6–7  pfn
 *   2  operation
 *   3  pages
 */
export const ROW_BYTES = 32;

const TYPES = [
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
] as const satisfies readonly (PageEvent['type'] | 'payload')[];

const CODE_OF_TYPE = Object.fromEntries(TYPES.map((type, code) => [type, code]));
/** Found sooner than in a dictionary: the usual ones come first. */
function codeOfReason(reason: Reason): number {
  let code = 0;
  while (REASONS[code] !== reason) code++;
  return code;
}

/** The rows of one stretch of positions. */
export class RowSegment {
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;

  constructor(rows: number) {
    const buffer = new ArrayBuffer(rows * ROW_BYTES);
    this.#words = new Uint32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  /** Writes a row; false when the event does not fit one and has to be kept as a payload. */
  write(row: number, event: JournalEvent): boolean {
    switch (event.type) {
      case 'fallocate': {
        const { file, operation, start, end, pfn } = event;
        const reason = codeOfReason(event.reason);
        return this.#put(row, 1, file, reason, 0, operation, end - start, start, pfn);
      }
      case 'invalidate':
      case 'invalidateEnd':
      case 'prepare':
      case 'rollback':
      case 'usable':
      case 'error': {
        const { file, operation, start, end } = event;
        const code = CODE_OF_TYPE[event.type]!;
        const reason = codeOfReason(event.reason);
        return this.#put(row, code, file, reason, 0, operation, end - start, start, 0);
      }
      case 'kept':
        return this.#put(row, 4, event.file, 0, 0, event.operation, pages(event), event.start, 0);
      case 'quarantine': {
        const { file, operation, start, pfn } = event;
        return this.#put(row, 5, file, 0, 0, operation, pages(event), start, pfn);
      }
      case 'lookup':
      case 'put': {
        const { file, registration, offset, pfn, order } = event;
        const code = CODE_OF_TYPE[event.type]!;
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
      default:
        return false;
    }
  }

  /** The event of a row, or undefined where a payload stands in for it. */
  read(row: number): PageEvent | undefined {
    const word = row * 8;
    const words = this.#words;
    const type = TYPES[words[word]! & 0xff]!;
    const file = words[word]! >>> 8;
    const detail = words[word + 1]! & 0xff;
    const registration = words[word + 1]! >>> 8;
    const operation = words[word + 2]!;
    const start = this.#doubles[row * 4 + 2]!;
    const end = start + words[word + 3]!;
    const pfn = this.#doubles[row * 4 + 3]!;
    switch (type) {
      case 'payload':
        return undefined;
      case 'fallocate':
        return { type, file, operation, start, end, pfn, reason: REASONS[detail]! };
      case 'invalidate':
      case 'invalidateEnd':
      case 'prepare':
      case 'rollback':
      case 'usable':
      case 'error':
        return { type, file, operation, start, end, reason: REASONS[detail]! };
      case 'convert':
        return { type, file, operation, start, end, to: SIDES[detail]! };
      case 'kept':
      case 'poison':
        return { type, file, operation, start, end };
      case 'quarantine':
        return { type, file, operation, start, end, pfn };
      case 'lookup':
      case 'put':
        return { type, file, registration, offset: start, pfn, order: detail };
      case 'left':
        return { type, file, operation, registration, start, end };
      case 'unregister':
        return { type, file, registration };
    }
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
    if (file > 0xffffff || registration > 0xffffff || detail > 0xff) return false;
    if (operation > 0xffffffff || length > 0xffffffff) return false;
    const word = row * 8;
    const words = this.#words;
    words[word] = type | (file << 8);
    words[word + 1] = detail | (registration << 8);
    words[word + 2] = operation;
    words[word + 3] = length;
    this.#doubles[row * 4 + 2] = start;
    this.#doubles[row * 4 + 3] = pfn;
    return true;
  }
}

function pages(range: { readonly start: number; readonly end: number }): number {
  return range.end - range.start;
}
