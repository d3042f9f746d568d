/** A set of pages as a plain sorted list of ranges: slow where it may be, simple everywhere. */
export class PageSet {
  #ranges: [start: number, end: number][] = [];

  add(start: number, end: number): void {
    this.remove(start, end);
    const at = this.#first(start);
    this.#ranges.splice(at, 0, [start, end]);
    this.#join(at + 1);
    this.#join(at);
  }

  remove(start: number, end: number): void {
    const from = this.#first(start);
    let to = from;
    const rest: [number, number][] = [];
    while (to < this.#ranges.length && this.#ranges[to]![0] < end) {
      const [s, e] = this.#ranges[to]!;
      if (s < start) rest.push([s, start]);
      if (e > end) rest.push([end, e]);
      to++;
    }
    this.#ranges.splice(from, to - from, ...rest);
  }

  has(page: number): boolean {
    return this.touches(page, page + 1);
  }

  /** Whether any page of `[start, end)` is in the set. */
  touches(start: number, end: number): boolean {
    const range = this.#ranges[this.#first(start)];
    return range !== undefined && range[0] < end;
  }

  /** Whether every page of `[start, end)` is in the set. */
  covers(start: number, end: number): boolean {
    const range = this.#ranges[this.#first(start)];
    return range !== undefined && range[0] <= start && range[1] >= end;
  }

  clear(): void {
    this.#ranges = [];
  }

  within(start: number, end: number): { readonly start: number; readonly end: number }[] {
    const found = [];
    for (let i = this.#first(start); i < this.#ranges.length && this.#ranges[i]![0] < end; i++) {
      const [s, e] = this.#ranges[i]!;
      found.push({ start: Math.max(s, start), end: Math.min(e, end) });
    }
    return found;
  }

  /** The first range that ends past `page`. */
  #first(page: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ranges[middle]![1] > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Joins the range at `at` with the one before it when they touch. */
  #join(at: number): void {
    const before = this.#ranges[at - 1];
    const range = this.#ranges[at];
    if (before === undefined || range === undefined || before[1] !== range[0]) return;
    this.#ranges.splice(at - 1, 2, [before[0], range[1]]);
  }
}
