import type { Recorded } from './event.js';
import type { RowSegment } from './event-row.js';

/** Events beside each other, as a journal keeps them. */
export interface Piece {
  /** The position of the event in row 0. */
  readonly first: number;
  /** The position after the last of them. */
  readonly end: number;
  /** Undefined where rows are not what the events are today. */
  readonly rows: RowSegment | undefined;
  at(position: number): Recorded;
}

/** The pieces that have events `[from, end)`, in order. */
export function* piecesOf(
  from: number,
  end: number,
  pieceOf: (position: number) => Piece,
): IterableIterator<Piece> {
  for (let at = from; at < end;) {
    const piece = pieceOf(at);
    yield piece;
    at = piece.end;
  }
}

/** Reads events piece by piece, in half the time that a generator takes for each. */
export class Reading implements IterableIterator<Recorded> {
  readonly #end: number;
  readonly #pieceOf: (position: number) => Piece;
  #position: number;
  #piece: Piece | undefined;
  #stop = 0;

  /** @param pieceOf where the event at a position is, asked in order. */
  constructor(from: number, end: number, pieceOf: (position: number) => Piece) {
    this.#position = from;
    this.#end = end;
    this.#pieceOf = pieceOf;
  }

  next(): IteratorResult<Recorded, undefined> {
    const position = this.#position;
    if (position >= this.#end) return { done: true, value: undefined };
    if (position >= this.#stop) this.#open(position);
    this.#position = position + 1;
    const piece = this.#piece!;
    const event = piece.rows?.read(position - piece.first, position);
    return { done: false, value: event ?? piece.at(position) };
  }

  #open(position: number): void {
    this.#piece = this.#pieceOf(position);
    this.#stop = this.#piece.end;
  }

  [Symbol.iterator](): this {
    return this;
  }
}
