import { MemfileError } from './errno.js';
import type { JournalEvent, Recorded } from './event.js';
import { RowSegment } from './event-row.js';
import { piecesOf, Reading, type Piece } from './reading.js';
import { Journal, type Checkpoint, type SubscribeOptions } from './journal.js';

const SEGMENT_ROWS = 4096;

/** Rows, and the events that do not fit one, by row. */
class Segment implements Piece {
  readonly rows = new RowSegment(SEGMENT_ROWS);
  readonly payloads: JournalEvent[] = [];
  readonly end: number;
  readonly first: number;

  constructor(first: number) {
    this.first = first;
    this.end = first + SEGMENT_ROWS;
  }

  append(row: number, event: JournalEvent): void {
    if (!this.rows.write(row, event)) this.payloads[row] = event;
  }

  at(position: number): Recorded {
    const row = position - this.first;
    return this.rows.read(row, position) ?? { ...this.payloads[row]!, position };
  }
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
      this.#segment = new Segment(index + 1);
      this.#segments.set(index / SEGMENT_ROWS, this.#segment);
    }
    this.#segment!.append(row, event);
    this.#position = index + 1;
    if (this.#awaiting.length > 0) this.#wake();
    return this.#position;
  }

  read(from: number, to: number = this.#position + 1): Iterable<Recorded> {
    const end = Math.min(to, this.#position + 1);
    return new Reading(Math.max(from, this.#first), end, (position) => this.#segmentOf(position));
  }

  override pieces(from: number, to: number = this.#position + 1): Iterable<Piece> {
    const end = Math.min(to, this.#position + 1);
    return piecesOf(Math.max(from, this.#first), end, (position) => this.#segmentOf(position));
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
      yield this.#segmentOf(position).at(position);
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

  #segmentOf(position: number): Segment {
    return this.#segments.get(Math.floor((position - 1) / SEGMENT_ROWS))!;
  }

  #wake(): void {
    for (const wake of this.#awaiting.splice(0)) wake();
  }
}
