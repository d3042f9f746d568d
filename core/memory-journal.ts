import { MemfileError } from './errno.js';
import type { JournalEvent, Recorded } from './event.js';
import { RowSegment } from './event-row.js';
import { piecesOf, Reading, type Piece } from './reading.js';
import { Journal, type Checkpoint, type SubscribeOptions } from './journal.js';

/** The first segment is small, for those who record little; each is as large as all before it. */
const FIRST_ROWS = 512;
const FIRST_BITS = 9;
/** Those that are larger are new memory each time, which an operating system takes its time for. */
const MOST_ROWS = 16_384;
const GROWING = 5;

/** In which segment the event is that so many others precede. */
function numberOf(index: number): number {
  if (index >= MOST_ROWS) return GROWING + Math.floor(index / MOST_ROWS);
  return 32 - Math.clz32(index >>> FIRST_BITS);
}

/** Rows, and the events that do not fit one, by row. */
class Segment implements Piece {
  readonly rows: RowSegment;
  readonly payloads: JournalEvent[] = [];
  readonly end: number;
  readonly first: number;

  constructor(first: number) {
    const rows = Math.min(Math.max(FIRST_ROWS, first - 1), MOST_ROWS);
    this.first = first;
    this.end = first + rows;
    this.rows = new RowSegment(rows);
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
    const segment = this.#segmentToFill();
    const row = this.#position + 1 - segment.first;
    if (!segment.rows.write(row, event)) segment.payloads[row] = event;
    return this.#appended();
  }

  override appendRow(
    head: number,
    detail: number,
    operation: number,
    length: number,
    start: number,
    pfn: number,
  ): number {
    if (this.append !== ownAppend) {
      return super.appendRow(head, detail, operation, length, start, pfn);
    }
    const segment = this.#segmentToFill();
    const row = this.#position + 1 - segment.first;
    segment.rows.put(row, head, detail, operation, length, start, pfn);
    return this.#appended();
  }

  #segmentToFill(): Segment {
    if (this.#closed) throw new MemfileError('EBADF', 'append', 'the journal is closed');
    const segment = this.#segment;
    const next = this.#position + 1;
    return segment !== undefined && next < segment.end ? segment : this.#addSegment(next);
  }

  #addSegment(first: number): Segment {
    const segment = new Segment(first);
    this.#segments.set(numberOf(first - 1), segment);
    return (this.#segment = segment);
  }

  #appended(): number {
    const position = ++this.#position;
    if (this.#awaiting.length > 0) this.#wake();
    return position;
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
    const last = this.#checkpoints.at(-1);
    // As it is mostly: there can be thousands.
    if (last?.version === version && last.position < position) {
      this.#checkpoints.push(checkpoint);
      return;
    }
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
    for (const [number, { end }] of this.#segments) {
      if (end <= this.#first) this.#segments.delete(number);
    }
    return this.#first;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    return Promise.resolve();
  }

  #segmentOf(position: number): Segment {
    return this.#segments.get(numberOf(position - 1))!;
  }

  #wake(): void {
    for (const wake of this.#awaiting.splice(0)) wake();
  }
}

/** To ask a class for its prototype each time would cost more than a row does. */
const { append: ownAppend } = MemoryJournal.prototype;
