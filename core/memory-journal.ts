import { MemfileError } from './errno.js';
import type { JournalEvent, Recorded } from './event.js';
import { RowSegment } from './event-row.js';
import { Journal } from './journal.js';

const SEGMENT_ROWS = 4096;

/** A journal in memory: rows of 32 bytes in segments, rare and oversized events beside them. */
export class MemoryJournal extends Journal {
  readonly #segments: RowSegment[] = [];
  readonly #payloads = new Map<number, JournalEvent>();
  #position = 0;
  #closed = false;
  #awaiting: Array<() => void> = [];

  get position(): number {
    return this.#position;
  }

  append(event: JournalEvent): number {
    if (this.#closed) throw new MemfileError('EBADF', 'append', 'the journal is closed');
    const index = this.#position;
    const row = index % SEGMENT_ROWS;
    if (row === 0) this.#segments.push(new RowSegment(SEGMENT_ROWS));
    const segment = this.#segments[this.#segments.length - 1]!;
    if (!segment.write(row, event)) this.#payloads.set(index + 1, event);
    this.#position = index + 1;
    if (this.#awaiting.length > 0) this.#wake();
    return this.#position;
  }

  *read(from: number, to: number = this.#position + 1): Iterable<Recorded> {
    const end = Math.min(to, this.#position + 1);
    for (let position = Math.max(from, 1); position < end; position++) yield this.#at(position);
  }

  async *subscribe(from: number): AsyncIterable<Recorded> {
    for (let position = Math.max(from, 1); ; position++) {
      while (position > this.#position) {
        if (this.#closed) return;
        await new Promise<void>((resolve) => this.#awaiting.push(resolve));
      }
      yield this.#at(position);
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    return Promise.resolve();
  }

  #at(position: number): Recorded {
    const index = position - 1;
    const segment = this.#segments[Math.floor(index / SEGMENT_ROWS)]!;
    const event = segment.read(index % SEGMENT_ROWS);
    if (event === undefined) return { ...this.#payloads.get(position)!, position };
    // It was made just now and is nobody else's; a copy of it costs more than all the rest.
    return Object.assign(event, { position });
  }

  #wake(): void {
    for (const wake of this.#awaiting.splice(0)) wake();
  }
}
