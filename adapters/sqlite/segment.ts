import { crc32 } from 'node:zlib';
import { RowSegment, type JournalEvent, type Piece, type Recorded } from '../../core/index.js';
import type { Payload } from './chunk.js';
import type { ChunkTable } from './chunk-table.js';

/** How many events a full blob has. */
export const SEGMENT_ROWS = 4096;

/** The events of one blob to be, from their appending until all of them are in the database. */
export class Segment implements Piece {
  /** The position of its first event. */
  readonly first: number;
  count = 0;
  /** How many of them are in the database, in blobs of their own for as long as it is not full. */
  committed = 0;
  /** CRC-32 of all rows before its first, known when those are written. */
  base: number;
  /** CRC-32 of all rows up to the last one committed. */
  #checksum: number;
  readonly rows = new RowSegment(SEGMENT_ROWS);
  readonly #payloads: Payload[] = [];

  constructor(first: number, base: number) {
    this.first = first;
    this.base = base;
    this.#checksum = base;
  }

  get full(): boolean {
    return this.count === SEGMENT_ROWS;
  }

  /** The position after its last event. */
  get end(): number {
    return this.first + this.count;
  }

  append(event: JournalEvent): void {
    const row = this.count;
    if (!this.rows.write(row, event)) {
      const json = JSON.stringify(event);
      this.rows.mark(row, crc32(json));
      this.#payloads.push([row, json]);
    }
    this.count++;
  }

  appendRow(
    head: number,
    detail: number,
    operation: number,
    length: number,
    start: number,
    pfn: number,
  ): void {
    this.rows.put(this.count++, head, detail, operation, length, start, pfn);
  }

  at(position: number): Recorded {
    const row = position - this.first;
    return this.rows.read(row, position) ?? { ...this.#payload(row), position };
  }

  /**
   * Puts what is not in the database yet there: as a chunk of its own, or, when it is full, as one
   * chunk in the place of all. Answers the CRC-32 of all rows up to its last.
   */
  write(table: ChunkTable): number {
    const from = this.full ? 0 : this.committed;
    if (this.committed === 0) this.#checksum = this.base;
    if (from === this.count) return this.#checksum;
    if (this.full && this.committed > 0) table.remove(this.first, this.end);
    const rows = this.rows.bytes(from, this.count);
    const previous = from === 0 ? this.base : this.#checksum;
    this.#checksum = crc32(rows, previous);
    const kept = this.#payloads.filter(([row]) => row >= from);
    const payloads = Buffer.from(JSON.stringify(kept.map(([row, json]) => [row - from, json])));
    const [first, count, checksum] = [this.first + from, this.count - from, this.#checksum];
    table.insert({ first, count, rows, payloads, previous, checksum });
    return checksum;
  }

  #payload(row: number): JournalEvent {
    const [, json] = this.#payloads.find(([of]) => of === row)!;
    return JSON.parse(json) as JournalEvent;
  }
}
