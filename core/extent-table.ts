import { ExtentBlock, SPREAD, type Extent } from './extent-block.js';

/** What a word can hold, as 0 says that a page holds nothing. */
const LARGEST = 2 ** 32 - 2;

/**
 * What some pages beside each other hold, page by page: for runs so short that rows of them take
 * about as much room. Nothing is searched for here, and nothing has to move up.
 */
export class ExtentTable {
  /** The page of its first entry. */
  low: number;
  /** How many runs its entries are. */
  count = 0;
  /** By page: the number it holds, and one more. */
  #entries: Uint32Array | Float64Array;
  /** From here on nothing is held. */
  #top = 0;

  constructor(low: number, pages: number) {
    this.low = low;
    this.#entries = new Uint32Array(pages);
  }

  /** What a block has, with room for more behind it, up to `limit`. */
  static of(block: ExtentBlock, limit: number): ExtentTable {
    const low = block.low + block.start(0);
    const room = Math.min(limit, block.limit) - low;
    const table = new ExtentTable(low, Math.min(room, block.count * SPREAD));
    block.visit(low, limit, (from, to, value) => table.replace(from - low, to - low, value));
    return table;
  }

  toBlock(): ExtentBlock {
    const { low } = this;
    const block = new ExtentBlock(low);
    this.visit(low, this.limit, (from, to, value) => block.replace(from - low, to - low, value));
    return block;
  }

  /** Its pages end here. */
  get limit(): number {
    return this.low + this.#entries.length;
  }

  /** How many pages hold something. */
  get pages(): number {
    let pages = 0;
    for (const entry of this.#entries) if (entry !== 0) pages++;
    return pages;
  }

  /** Whether rows would take far less room. */
  misfits(blockRuns: number): boolean {
    return this.count <= blockRuns >>> 3;
  }

  /** What a page, counted from `low`, holds, or -1. */
  get(page: number): number {
    return page < this.#entries.length ? this.#entries[page]! - 1 : -1;
  }

  /** As {@link ExtentBlock.replace}. */
  replace(start: number, end: number, value: number): number {
    const stop = Math.min(end, this.#entries.length);
    if (value + (stop - start) > LARGEST && this.#entries instanceof Uint32Array) {
      this.#entries = Float64Array.from(this.#entries);
    }
    const entries = this.#entries;
    let removed = 0;
    this.count -= this.#begins(start, stop);
    for (let page = start; page < stop; page++) {
      if (entries[page] !== 0) removed++;
      entries[page] = value < 0 ? 0 : value + (page - start) + 1;
    }
    this.count += this.#begins(start, stop);
    if (value >= 0 && stop > this.#top) this.#top = stop;
    return removed;
  }

  /** Begins at a later page; what was held before it is gone already. */
  beginAt(low: number): void {
    const by = low - this.low;
    this.#entries = this.#entries.slice(by);
    this.#top = Math.max(this.#top - by, 0);
    this.low = low;
  }

  /** Tells the runs in pages `[start, end)`, clipped to it and in order. */
  visit(start: number, end: number, seen: (from: number, to: number, value: number) => void): void {
    const { low } = this;
    const stop = Math.min(end - low, this.#top);
    for (let page = Math.max(start - low, 0); page < stop;) {
      const from = page;
      const value = this.#entries[page++]! - 1;
      if (value < 0) continue;
      while (page < stop && this.#entries[page] === value + 1 + (page - from)) page++;
      seen(low + from, low + page, value);
    }
  }

  /** The first run; there is one. */
  first(): Extent {
    return this.#runFrom(this.#entries.findIndex((entry) => entry !== 0));
  }

  /** The last run; there is one. */
  last(): Extent {
    const entries = this.#entries;
    while (entries[this.#top - 1] === 0) this.#top--;
    let start = this.#top - 1;
    while (start > 0 && entries[start - 1]! !== 0 && entries[start - 1]! + 1 === entries[start])
      start--;
    return this.#runFrom(start);
  }

  #runFrom(start: number): Extent {
    const entries = this.#entries;
    let end = start + 1;
    while (end < entries.length && entries[end] === entries[end - 1]! + 1) end++;
    return { start: this.low + start, end: this.low + end, value: entries[start]! - 1 };
  }

  /** How many runs begin at the pages `[start, end]`. */
  #begins(start: number, end: number): number {
    const entries = this.#entries;
    let before = start === 0 ? 0 : entries[start - 1]!;
    let runs = 0;
    for (let page = start; page <= end && page < entries.length; page++) {
      const entry = entries[page]!;
      if (entry !== 0 && (before === 0 || entry !== before + 1)) runs++;
      before = entry;
    }
    return runs;
  }
}
