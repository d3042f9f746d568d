import { KnownOver } from '../known-over.js';

/** Has mapped pages of a file, and faults them in when they are touched. */
export interface Toucher {
  /** Rejects when there is no room. */
  touch(start: number, end: number): Promise<void>;
}

/** Pages that are touched between two looks at the clock. */
const SLICE = 4096;

const touches = new KnownOver();

/** Pages `[start, end)` being touched by one consumer after the other, a slice at a time. */
export class Touching {
  /** Where the slice begins. */
  from: number;
  readonly #touchers: readonly Toucher[];
  readonly #end: number;
  readonly #granule: number;
  readonly #onProgress: () => void;
  /** Whose turn it is. */
  #next = 0;

  /** @param onProgress called after every slice but the last. */
  constructor(
    touchers: readonly Toucher[],
    start: number,
    end: number,
    granule: number,
    onProgress: () => void,
  ) {
    this.from = start;
    this.#touchers = touchers;
    this.#end = end;
    this.#granule = granule;
    this.#onProgress = onProgress;
  }

  /** Goes on up to a touch that has to be waited for, and answers it; undefined at the end. */
  advance(): Promise<void> | undefined {
    const touchers = this.#touchers;
    for (;;) {
      const to = this.#sliceEnd();
      while (this.#next < touchers.length) {
        const touched = touchers[this.#next++]!.touch(this.from, to);
        if (!touches.has(touched)) return touches.wait(touched);
      }
      if (to >= this.#end) return undefined;
      this.from = to;
      this.#next = 0;
      this.#onProgress();
    }
  }

  /** A huge page at a time, as a process does: one that is refused stops nobody else. */
  #sliceEnd(): number {
    const { from } = this;
    const granule = this.#granule;
    const stop = granule === 1 ? from + SLICE : from - (from % granule) + granule;
    return Math.min(stop, this.#end);
  }
}
