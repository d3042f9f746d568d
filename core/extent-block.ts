import type { PageRange } from './page-range.js';

/** Pages `[start, end)` that hold the numbers `value`, `value + 1`, … */
export interface Extent extends PageRange {
  readonly value: number;
}

/** No run crosses a multiple of this, so that rows can count in 32 bits. */
export const SPAN = 2 ** 31;

/** Growing by this many runs wastes little, and copies each run a few times at most. */
const GROWTH = 16;

/**
 * Some runs of pages beside each other, sorted, in rows of 16 bytes: start and end relative to the
 * page where the block begins, and the number that the first page holds.
 */
export class ExtentBlock {
  /** The page that its rows count from. */
  low: number;
  count = 0;
  /** Its pages end here. */
  readonly limit: number;
  #words: Uint32Array;
  #doubles: Float64Array;

  constructor(low: number, runs = 4) {
    this.low = low;
    this.limit = (Math.floor(low / SPAN) + 1) * SPAN;
    this.#doubles = new Float64Array(runs * 2);
    this.#words = new Uint32Array(this.#doubles.buffer);
  }

  /** Whether it has more runs than it should. */
  misfits(blockRuns: number): boolean {
    return this.count > blockRuns;
  }

  start(run: number): number {
    return this.#words[run * 4]!;
  }

  end(run: number): number {
    return this.#words[run * 4 + 1]!;
  }

  value(run: number): number {
    return this.#doubles[run * 2 + 1]!;
  }

  /** What a page, counted from `low`, holds, or -1. */
  get(page: number): number {
    const run = this.find(page);
    if (run === this.count || this.start(run) > page) return -1;
    return this.value(run) + (page - this.start(run));
  }

  /** Tells the runs in pages `[start, end)`, clipped to it and in order. */
  visit(start: number, end: number, seen: (from: number, to: number, value: number) => void): void {
    const { low } = this;
    for (let run = this.find(start - low); run < this.count; run++) {
      const first = low + this.start(run);
      if (first >= end) return;
      const from = Math.max(first, start);
      seen(from, Math.min(low + this.end(run), end), this.value(run) + (from - first));
    }
  }

  /** The first run; there is one. */
  first(): Extent {
    return this.#run(0);
  }

  /** The last run; there is one. */
  last(): Extent {
    return this.#run(this.count - 1);
  }

  #run(run: number): Extent {
    const { low } = this;
    return { start: low + this.start(run), end: low + this.end(run), value: this.value(run) };
  }

  /** From the begin of its first run to the end of its last, in pages. */
  get extent(): number {
    return this.end(this.count - 1) - this.start(0);
  }

  /** The first run that ends past `page`. */
  find(page: number): number {
    const words = this.#words;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[middle * 4 + 1]! > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** How many pages hold something. */
  get pages(): number {
    let pages = 0;
    for (let run = 0; run < this.count; run++) pages += this.end(run) - this.start(run);
    return pages;
  }

  /**
   * Replaces what `[start, end)` holds by a run from `value`, or by nothing when it is below 0;
   * returns how many pages held something.
   */
  replace(start: number, end: number, value: number): number {
    const words = this.#words;
    const doubles = this.#doubles;
    let from = this.find(start);
    let to = from;
    let removed = 0;
    while (to < this.count && words[to * 4]! < end) {
      removed += Math.min(words[to * 4 + 1]!, end) - Math.max(words[to * 4]!, start);
      to++;
    }
    if (value < 0 && to === from) return 0;
    let headStart = start;
    let headValue = 0;
    let tailEnd = end;
    let tailValue = 0;
    if (to > from) {
      headStart = words[from * 4]!;
      headValue = doubles[from * 2 + 1]!;
      tailEnd = words[to * 4 - 3]!;
      tailValue = doubles[to * 2 - 1]! + (end - words[to * 4 - 4]!);
    }
    let keepHead = headStart < start;
    let keepTail = tailEnd > end;
    if (value >= 0) {
      if (keepHead) {
        if (headValue + (start - headStart) === value) {
          start = headStart;
          value = headValue;
          keepHead = false;
        }
      } else if (from > 0 && words[from * 4 - 3] === start) {
        const before = words[from * 4 - 4]!;
        const held = doubles[from * 2 - 1]!;
        if (held + (start - before) === value) {
          start = before;
          value = held;
          from--;
        }
      }
      if (keepTail) {
        if (value + (end - start) === tailValue) {
          end = tailEnd;
          keepTail = false;
        }
      } else if (
        to < this.count &&
        words[to * 4] === end &&
        value + (end - start) === doubles[to * 2 + 1]!
      ) {
        end = words[to * 4 + 1]!;
        to++;
      }
    }
    this.#makeRoom(from, to, (keepHead ? 1 : 0) + (value >= 0 ? 1 : 0) + (keepTail ? 1 : 0));
    // A run ends where the next begins, so the bounds of the middle serve all three.
    if (keepHead) this.#write(from++, headStart, start, headValue);
    if (value >= 0) this.#write(from++, start, end, value);
    if (keepTail) this.#write(from, end, tailEnd, tailValue);
    return removed;
  }

  /** Takes the second half of its runs out, into a block of their own. */
  split(): ExtentBlock {
    const half = this.count >>> 1;
    const moved = this.count - half;
    const other = new ExtentBlock(this.low + this.start(half), moved + GROWTH);
    other.#doubles.set(this.#doubles.subarray(half * 2, this.count * 2));
    other.count = moved;
    other.#rebase(this.start(half));
    this.count = half;
    this.#resize(half + GROWTH);
    return other;
  }

  /** Begins at a later page; the runs before it are gone already. */
  beginAt(low: number): void {
    this.#rebase(low - this.low);
    this.low = low;
  }

  #rebase(by: number): void {
    const words = this.#words;
    for (let run = 0; run < this.count; run++) {
      words[run * 4]! -= by;
      words[run * 4 + 1]! -= by;
    }
  }

  #write(run: number, start: number, end: number, value: number): void {
    this.#words[run * 4] = start;
    this.#words[run * 4 + 1] = end;
    this.#doubles[run * 2 + 1] = value;
  }

  /** Makes the runs `[from, to)` exactly `wanted` many. */
  #makeRoom(from: number, to: number, wanted: number): void {
    const moved = from + wanted - to;
    if (moved === 0) return;
    const count = this.count + moved;
    const capacity = this.#doubles.length >>> 1;
    if (count > capacity) {
      this.#resize(Math.max(count, capacity < GROWTH ? capacity * 2 : capacity + GROWTH));
    }
    const doubles = this.#doubles;
    if (this.count - to > 32) doubles.copyWithin((to + moved) * 2, to * 2, this.count * 2);
    // A loop is faster than a call into the runtime for as little as this.
    else if (moved < 0) {
      for (let i = to * 2; i < this.count * 2; i++) doubles[i + moved * 2] = doubles[i]!;
    } else {
      for (let i = this.count * 2 - 1; i >= to * 2; i--) doubles[i + moved * 2] = doubles[i]!;
    }
    this.count = count;
  }

  #resize(runs: number): void {
    const doubles = new Float64Array(runs * 2);
    doubles.set(this.#doubles.subarray(0, Math.min(this.count, runs) * 2));
    this.#doubles = doubles;
    this.#words = new Uint32Array(doubles.buffer);
  }
}
