import type { Seen } from './page-list.js';

/** What of a stretch of pages holds which number, page by page: for runs too many to be a list. */
export class PageTable {
  readonly #low: number;
  /** Numbers plus one; 0 is none. */
  #entries: Int32Array | Float64Array;

  constructor(low: number, pages: number) {
    this.#low = low;
    this.#entries = new Int32Array(pages);
  }

  /** As {@link PageList.add}. */
  add(start: number, end: number, value: number): boolean {
    const from = start - this.#low;
    const to = end - this.#low;
    if (value + (to - from) >= 2 ** 31 && this.#entries instanceof Int32Array) {
      this.#entries = Float64Array.from(this.#entries);
    }
    const entries = this.#entries;
    let there = false;
    for (let page = from, number = value + 1; page < to; page++, number++) {
      if (entries[page] !== 0) there = true;
      entries[page] = number;
    }
    return there;
  }

  get(page: number): number {
    return this.#entries[page - this.#low]! - 1;
  }

  touches(start: number, end: number): boolean {
    const entries = this.#entries;
    for (let page = start - this.#low; page < end - this.#low; page++) {
      if (entries[page] !== 0) return true;
    }
    return false;
  }

  visit(start: number, end: number, seen: Seen): void {
    const entries = this.#entries;
    const low = this.#low;
    const stop = end - low;
    for (let page = start - low; page < stop;) {
      const from = page++;
      const entry = entries[from]!;
      if (entry === 0) continue;
      while (page < stop && entries[page] === entry + (page - from)) page++;
      seen(low + from, low + page, entry - 1);
    }
  }

  /** As {@link PageList.remove}. */
  remove(start: number, end: number, seen?: Seen): void {
    if (seen !== undefined) this.visit(start, end, seen);
    const entries = this.#entries;
    for (let page = start - this.#low; page < end - this.#low; page++) entries[page] = 0;
  }
}
