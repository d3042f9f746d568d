import { MemfileError } from './errno.js';
import type { JournalEvent, Recorded } from './event.js';
import { RowSegment } from './event-row.js';
import { Journal, type Checkpoint, type SubscribeOptions } from './journal.js';

const SEGMENT_ROWS = 4096;

/** Rows, and the events that do not fit one, by row. */
interface Segment {
  readonly rows: RowSegment;
  readonly payloads: JournalEvent[];
}

/** A journal in memory: rows of 32 bytes in segments, rare and oversized events beside them. */
export class MemoryJournal extends Journal {
  readonly #segments = new Map<number, Segment>();
  /** Oldest first. */
  #checkpoints: Checkpoint[] = [];
  #segment: Segment | undefined;
  #first = 1;
  #position = 0;
  #closed = false;
  #awaiting: Array<() => void> = [];

  get position(): number {
    return this.#position;
  }

  override get first(): number {
    return this.#first;
  }

  append(event: JournalEvent): number {
    if (this.#closed) throw new MemfileError('EBADF', 'append', 'the journal is closed');
    const index = this.#position;
    const row = index % SEGMENT_ROWS;
    if (row === 0) {
      this.#segment = { rows: new RowSegment(SEGMENT_ROWS), payloads: [] };
      this.#segments.set(index / SEGMENT_ROWS, this.#segment);
    }
    const { rows, payloads } = this.#segment!;
    if (!rows.write(row, event)) payloads[row] = event;
    this.#position = index + 1;
    if (this.#awaiting.length > 0) this.#wake();
    return this.#position;
  }

  *read(from: number, to: number = this.#position + 1): Iterable<Recorded> {
    const end = Math.min(to, this.#position + 1);
    for (let position = Math.max(from, this.#first); position < end;) {
      const number = Math.floor((position - 1) / SEGMENT_ROWS);
      const { rows, payloads } = this.#segments.get(number)!;
      const first = number * SEGMENT_ROWS + 1;
      for (const stop = Math.min(first + SEGMENT_ROWS, end); position < stop; position++) {
        const row = position - first;
        yield rows.read(row, position) ?? { ...payloads[row]!, position };
      }
    }
  }

  async *subscribe(from: number, { onCaughtUp }: SubscribeOptions = {}): AsyncIterable<Recorded> {
    let catchingUp = true;
    for (let position = Math.max(from, this.#first); ; position++) {
      while (position > this.#position) {
        if (catchingUp) onCaughtUp?.(this.#position);
        catchingUp = false;
        if (this.#closed) return;
        await new Promise<void>((resolve) => this.#awaiting.push(resolve));
      }
      yield this.#at(position);
    }
  }

  override get keepsCheckpoints(): boolean {
    return true;
  }

  override saveCheckpoint(checkpoint: Checkpoint): void {
    const { position, version } = checkpoint;
    const kept = this.#checkpoints.filter(
      (other) => other.version === version && other.position !== position,
    );
    this.#checkpoints = [...kept, checkpoint].sort((a, b) => a.position - b.position);
  }

  override checkpoint(position: number, version: number): Checkpoint | undefined {
    let latest: Checkpoint | undefined;
    for (const checkpoint of this.#checkpoints) {
      if (checkpoint.version === version && checkpoint.position <= position) latest = checkpoint;
    }
    return latest;
  }

  override truncate(before: number, version: number): number {
    const base = this.checkpoint(Math.min(before - 1, this.#position), version);
    if (base === undefined || base.position < this.#first) return this.#first;
    this.#first = base.position + 1;
    this.#checkpoints = this.#checkpoints.filter(({ position }) => position >= base.position);
    for (const number of this.#segments.keys()) {
      if ((number + 1) * SEGMENT_ROWS < this.#first) this.#segments.delete(number);
    }
    return this.#first;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    return Promise.resolve();
  }

  #at(position: number): Recorded {
    const index = position - 1;
    const row = index % SEGMENT_ROWS;
    const { rows, payloads } = this.#segments.get(Math.floor(index / SEGMENT_ROWS))!;
    return rows.read(row, position) ?? { ...payloads[row]!, position };
  }

  #wake(): void {
    for (const wake of this.#awaiting.splice(0)) wake();
  }
}
