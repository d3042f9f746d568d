import { crc32 } from 'node:zlib';
import { RowSegment, ROW_BYTES, type JournalEvent, type Piece } from '../../core/index.js';
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
export interface Chunk extends Piece {
  readonly previous: number;
  readonly checksum: number;
}

/** @throws Error that says what is wrong with it. */
export function readChunk(stored: StoredChunk, upcast: Upcast): Chunk {
  const { first, count, previous, checksum } = stored;
  if (sealOf(stored) !== stored.seal) throw new Error('a chunk that was never written');
  const bytes = bytesOf(stored.rows);
  if (bytes.length !== count * ROW_BYTES) throw new Error(`${bytes.length} bytes of ${count} rows`);
  if (crc32(bytes, previous) !== checksum) throw new Error('rows that were never written');
  const rows = new RowSegment(bytes);
  const payloads = new Map<number, JournalEvent>();
  for (const [row, json] of JSON.parse(textOf(stored.payloads)) as readonly Payload[]) {
    if (crc32(json) !== rows.markOf(row)) throw new Error('a payload that was never written');
    payloads.set(row, JSON.parse(json) as JournalEvent);
  }
  for (let row = 0; row < count; row++) {
    if (rows.isEmpty(row) && !payloads.has(row)) throw new Error('an event without its payload');
  }
  return {
    first,
    end: first + count,
    previous,
    checksum,
    rows: upcast === undefined ? rows : undefined,
    at(position) {
      const row = position - first;
      const event = rows.read(row, position) ?? { ...payloads.get(row)!, position };
      return upcast === undefined ? event : { ...upcast(event), position };
    },
  };
}
