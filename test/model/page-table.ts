/** What of a stretch of pages holds which number, page by page: for runs too many to be a list. */
export class PageTable {
  readonly #low: number;
  /** Numbers plus one; 0 is none. */
  #entries: Int32Array | Float64Array;

  constructor(low: number, pages: number) {
    this.#low = low;
    this.#entries = new Int32Array(pages);
  }

  /** As {@link PageList.replace}. */
  replace(start: number, end: number, value: number): boolean {
    const from = start - this.#low;
    const to = end - this.#low;
    if (value + (to - from) >= 2 ** 31 && this.#entries instanceof Int32Array) {
      this.#entries = Float64Array.from(this.#entries);
    }
    const entries = this.#entries;
    let there = 0;
    if (value < 0) {
      for (let page = from; page < to; page++) {
        there |= entries[page]!;
        entries[page] = 0;
      }
    } else {
      for (let page = from, number = value + 1; page < to; page++, number++) {
        if (entries[page] !== 0) there = 1;
        entries[page] = number;
      }
    }
    return there !== 0;
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

  visit(start: number, end: number, seen: (from: number, to: number, value: number) => void): void {
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
}
