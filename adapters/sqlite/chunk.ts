import { crc32 } from 'node:zlib';
import {
  RowSegment,
  ROW_BYTES,
  type JournalEvent,
  type Piece,
  type Recorded,
} from '../../core/index.js';
import type { Upcast } from './format.js';

/** Libraries differ in what a blob is. */
export type Blob = Uint8Array | ArrayBuffer;

export function bytesOf(blob: Blob): Uint8Array {
  return blob instanceof Uint8Array ? blob : new Uint8Array(blob);
}

export function textOf(blob: Blob): string {
  return new TextDecoder().decode(blob);
}

/** Events in the order of their positions, as the database keeps them. */
export interface StoredChunk {
  readonly first: number;
  readonly count: number;
  readonly format: number;
  readonly rows: Blob;
  readonly payloads: Blob;
  readonly previous: number;
  readonly checksum: number;
  readonly seal: number;
}

/** CRC-32 of everything in a chunk; of the rows by way of their own. */
export function sealOf(chunk: Omit<StoredChunk, 'seal'>): number {
  const { first, count, format, payloads, previous, checksum } = chunk;
  const numbers = new Float64Array([first, count, format, previous, checksum]);
  return crc32(bytesOf(payloads), crc32(new Uint8Array(numbers.buffer)));
}

/** Row within the chunk, and the event as JSON. */
export type Payload = readonly [row: number, json: string];

/** A chunk that was read and is what was written. */
export class Chunk implements Piece {
  /** What is before the first: an engine forgets code that knows a class of which there is none. */
  static readonly none = new Chunk(1, 0, 0, 0, new RowSegment(0), new Map(), undefined);

  readonly first: number;
  readonly end: number;
  /** CRC-32 of all rows before. */
  readonly previous: number;
  /** CRC-32 of all rows up to its last. */
  readonly checksum: number;
  readonly rows: RowSegment | undefined;
  readonly #rows: RowSegment;
  readonly #payloads: ReadonlyMap<number, JournalEvent>;
  readonly #upcast: Upcast;

  private constructor(
    first: number,
    count: number,
    previous: number,
    checksum: number,
    rows: RowSegment,
    payloads: ReadonlyMap<number, JournalEvent>,
    upcast: Upcast,
  ) {
    this.first = first;
    this.end = first + count;
    this.previous = previous;
    this.checksum = checksum;
    this.rows = upcast === undefined ? rows : undefined;
    this.#rows = rows;
    this.#payloads = payloads;
    this.#upcast = upcast;
  }

  /** @throws Error that says what is wrong with it. */
  static read(stored: StoredChunk, upcast: Upcast): Chunk {
    const { first, count, previous, checksum } = stored;
    if (sealOf(stored) !== stored.seal) throw new Error('a chunk that was never written');
    const bytes = bytesOf(stored.rows);
    if (bytes.length !== count * ROW_BYTES) {
      throw new Error(`${bytes.length} bytes of ${count} rows`);
    }
    if (crc32(bytes, previous) !== checksum) throw new Error('rows that were never written');
    const rows = new RowSegment(bytes);
    const payloads = payloadsOf(stored.payloads, rows, count);
    return new Chunk(first, count, previous, checksum, rows, payloads, upcast);
  }

  at(position: number): Recorded {
    const row = position - this.first;
    const event = this.#rows.read(row, position) ?? { ...this.#payloads.get(row)!, position };
    return this.#upcast === undefined ? event : { ...this.#upcast(event), position };
  }
}

/** What stands in for rows, by row; there is one for each that needs one. */
function payloadsOf(blob: Blob, rows: RowSegment, count: number): Map<number, JournalEvent> {
  const payloads = new Map<number, JournalEvent>();
  for (const [row, json] of JSON.parse(textOf(blob)) as readonly Payload[]) {
    if (crc32(json) !== rows.markOf(row)) throw new Error('a payload that was never written');
    payloads.set(row, JSON.parse(json) as JournalEvent);
  }
  for (let row = 0; row < count; row++) {
    if (rows.isEmpty(row) && !payloads.has(row)) throw new Error('an event without its payload');
  }
  return payloads;
}
