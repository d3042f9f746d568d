/** A set of pages as a plain sorted list of ranges: slow where it may be, simple everywhere. */
export class PageSet {
  #ranges: [start: number, end: number][] = [];

  /** Adds pages; answers whether one of them was there. */
  add(start: number, end: number): boolean {
    const ranges = this.#ranges;
    let at = this.#first(start);
    const there = at < ranges.length && ranges[at]![0] < end;
    if (there) {
      this.remove(start, end);
      at = this.#first(start);
    }
    const before = ranges[at - 1];
    const after = ranges[at];
    const joinsAfter = after !== undefined && after[0] === end;
    if (before !== undefined && before[1] === start) {
      before[1] = joinsAfter ? after[1] : end;
      if (joinsAfter) takeOut(ranges, at, at + 1);
    } else if (joinsAfter) after[0] = start;
    else putIn(ranges, at, [start, end]);
    return there;
  }

  remove(start: number, end: number): void {
    const ranges = this.#ranges;
    let from = this.#first(start);
    const first = ranges[from];
    if (first === undefined || first[0] >= end) return;
    if (first[0] < start) {
      const tail = first[1];
      first[1] = start;
      from++;
      if (tail > end) putIn(ranges, from, [end, tail]);
    }
    let to = from;
    while (to < ranges.length && ranges[to]![1] <= end) to++;
    if (to > from) takeOut(ranges, from, to);
    const last = ranges[from];
    if (last !== undefined && last[0] < end) last[0] = end;
  }

  get empty(): boolean {
    return this.#ranges.length === 0;
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
    if (this.#ranges.length > 0) this.#ranges = [];
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
}

/** What `splice` does, which makes a list of what it removed too; here that is mostly at the end. */
function putIn<T>(list: T[], at: number, added: T): void {
  if (at === list.length) list.push(added);
  else list.splice(at, 0, added);
}

/** As above. */
function takeOut<T>(list: T[], from: number, to: number): void {
  if (to === list.length) while (list.length > from) list.pop();
  else list.splice(from, to - from);
}
