import { ExtentBlock, type Extent } from './extent-block.js';

/** Added to what a page holds, so that 0 can be nothing and is nobody's neighbour. */
const BIAS = 2;

/**
 * What some pages beside each other hold, page by page: for runs so short that rows of them take
 * about as much room. Nothing is searched for here, and nothing has to move up.
 */
export class ExtentTable {
  /** The page of its first entry. */
  low: number;
  /** How many runs its entries are. */
  count = 0;
  /** Its pages end here. */
  readonly limit: number;
  /** By page, counted from the one before `low`; one of nothing at either end. */
  #entries: Int32Array | Float64Array;
  /** No entry before this one holds anything. */
  #bottom = 0;
  /** No entry from here on holds anything. */
  #top = 0;

  constructor(low: number, limit: number) {
    this.low = low;
    this.limit = limit;
    this.#entries = new Int32Array(limit - low + 2);
  }

  /** What a block has, with room for `spread` pages a run, up to `limit`. */
  static of(block: ExtentBlock, limit: number, spread: number): ExtentTable {
    const low = block.low + block.start(0);
    const table = new ExtentTable(low, Math.min(limit, block.limit, low + block.count * spread));
    block.visit(low, limit, (from, to, value) => table.replace(from - low, to - low, value));
    return table;
  }

  toBlock(): ExtentBlock {
    const { low } = this;
    const block = new ExtentBlock(low);
    this.visit(low, this.limit, (from, to, value) => block.replace(from - low, to - low, value));
    return block;
  }

  /** How many pages hold something. */
  get pages(): number {
    let pages = 0;
    for (const entry of this.#entries) if (entry !== 0) pages++;
    return pages;
  }

  /** As {@link ExtentBlock.clip}. */
  clip(end: number): number {
    return end < this.limit ? end : this.limit;
  }

  /** Whether rows would take far less room. */
  misfits(blockRuns: number): boolean {
    return this.count <= blockRuns >>> 3;
  }

  /** What a page, counted from `low`, holds, or -1. */
  get(page: number): number {
    const entry = page < this.limit - this.low ? this.#entries[page + 1]! : 0;
    return entry === 0 ? -1 : entry - BIAS;
  }

  /** As {@link ExtentBlock.nextHeld}. */
  nextHeld(page: number): number {
    while (page < this.#top && this.#entries[page + 1] === 0) page++;
    return page < this.#top ? page : Infinity;
  }

  /** As {@link ExtentBlock.nextHole}. */
  nextHole(page: number): number {
    while (page < this.#top && this.#entries[page + 1] !== 0) page++;
    return page;
  }

  /** As {@link ExtentBlock.replace}. */
  replace(start: number, end: number, value: number): number {
    const stop = Math.min(end, this.limit - this.low);
    if (value + (stop - start) + BIAS > 2 ** 31 && this.#entries instanceof Int32Array) {
      this.#entries = Float64Array.from(this.#entries);
    }
    const entries = this.#entries;
    // Two pages that hold something and do not join are in two runs.
    this.count += this.#joins(start, stop);
    let removed = 0;
    for (let page = start; page < stop; page++) {
      if (entries[page + 1] !== 0) removed++;
      entries[page + 1] = value < 0 ? 0 : value + (page - start) + BIAS;
    }
    this.count -= this.#joins(start, stop) + removed;
    if (value < 0 || stop <= start) return removed;
    this.count += stop - start;
    if (stop > this.#top) this.#top = stop;
    if (start < this.#bottom) this.#bottom = start;
    return removed;
  }

  /** Begins at a later page; what was held before it is gone already. */
  beginAt(low: number): void {
    const by = low - this.low;
    this.#entries = this.#entries.slice(by);
    this.#top = Math.max(this.#top - by, 0);
    this.#bottom = 0;
    this.low = low;
  }

  /** Tells the runs in pages `[start, end)`, clipped to it and in order. */
  visit(start: number, end: number, seen: (from: number, to: number, value: number) => void): void {
    const { low } = this;
    const entries = this.#entries;
    const stop = Math.min(end - low, this.#top);
    for (let page = Math.max(start - low, 0); page < stop;) {
      const from = page++;
      const entry = entries[from + 1]!;
      if (entry === 0) continue;
      while (page < stop && entries[page]! + 1 === entries[page + 1]) page++;
      seen(low + from, low + page, entry - BIAS);
    }
  }

  /** The first run; there is one. */
  first(): Extent {
    const entries = this.#entries;
    while (entries[this.#bottom + 1] === 0) this.#bottom++;
    const start = this.#bottom;
    let end = start + 1;
    while (entries[end]! + 1 === entries[end + 1]) end++;
    return { start: this.low + start, end: this.low + end, value: entries[start + 1]! - BIAS };
  }

  /** The last run; there is one. */
  last(): Extent {
    const entries = this.#entries;
    while (entries[this.#top] === 0) this.#top--;
    const end = this.#top;
    let start = end - 1;
    while (entries[start]! + 1 === entries[start + 1]) start--;
    return { start: this.low + start, end: this.low + end, value: entries[start + 1]! - BIAS };
  }

  /** How many of the pages `[start, end]` belong to the run of the page before them. */
  #joins(start: number, end: number): number {
    const entries = this.#entries;
    let joins = 0;
    for (let page = start; page <= end; page++) {
      if (entries[page]! + 1 === entries[page + 1]) joins++;
    }
    return joins;
  }
}
