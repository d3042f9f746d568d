/** A sorted list of a few runs of pages `[start, end)` whose numbers rise with them, in columns. */
export class PageList {
  count = 0;
  #starts = new Float64Array(4);
  #ends = new Float64Array(4);
  #values = new Float64Array(4);

  /** Gives pages the numbers from `value` on, none when it is -1; answers whether one had any. */
  replace(start: number, end: number, value: number): boolean {
    const there = this.#remove(start, end);
    if (value >= 0) this.#insert(start, end, value);
    return there;
  }

  get(page: number): number {
    const at = this.#first(page);
    const start = this.#starts[at]!;
    return at === this.count || start > page ? -1 : this.#values[at]! + (page - start);
  }

  touches(start: number, end: number): boolean {
    const at = this.#first(start);
    return at < this.count && this.#starts[at]! < end;
  }

  /** Tells the runs in `[start, end)`, clipped, in order. */
  visit(start: number, end: number, seen: (from: number, to: number, value: number) => void): void {
    for (let i = this.#first(start); i < this.count && this.#starts[i]! < end; i++) {
      const from = Math.max(this.#starts[i]!, start);
      const value = this.#values[i]! + (from - this.#starts[i]!);
      seen(from, Math.min(this.#ends[i]!, end), value);
    }
  }

  /** The first run that ends past `page`. */
  #first(page: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ends[middle]! > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Nothing of `[start, end)` is in the list; it joins those beside it that it goes on from or into. */
  #insert(start: number, end: number, value: number): void {
    const at = this.#first(start);
    const starts = this.#starts;
    const ends = this.#ends;
    const values = this.#values;
    const joinsNext = at < this.count && starts[at] === end && value + (end - start) === values[at];
    const last = at - 1;
    const joinsLast =
      at > 0 && ends[last] === start && values[last]! + (start - starts[last]!) === value;
    if (joinsLast && joinsNext) {
      ends[last] = ends[at]!;
      this.#move(at + 1, at);
    } else if (joinsLast) ends[last] = end;
    else if (joinsNext) {
      starts[at] = start;
      values[at] = value;
    } else {
      this.#move(at, at + 1);
      this.#put(at, start, end, value);
    }
  }

  #remove(start: number, end: number): boolean {
    const from = this.#first(start);
    let to = from;
    while (to < this.count && this.#starts[to]! < end) to++;
    if (to === from) return false;
    const head = this.#starts[from]!;
    const headValue = this.#values[from]!;
    const tail = this.#ends[to - 1]!;
    const tailValue = this.#values[to - 1]! + (end - this.#starts[to - 1]!);
    const rest = (head < start ? 1 : 0) + (tail > end ? 1 : 0);
    if (from + rest !== to) this.#move(to, from + rest);
    let at = from;
    if (head < start) this.#put(at++, head, start, headValue);
    if (tail > end) this.#put(at, end, tail, tailValue);
    return true;
  }

  /** Moves the runs from `at` on to `target`. */
  #move(at: number, target: number): void {
    const count = this.count + target - at;
    if (count > this.#starts.length) {
      this.#starts = grown(this.#starts);
      this.#ends = grown(this.#ends);
      this.#values = grown(this.#values);
    }
    const step = target < at ? 1 : -1;
    for (let i = step > 0 ? at : this.count - 1; i >= at && i < this.count; i += step) {
      this.#put(i + target - at, this.#starts[i]!, this.#ends[i]!, this.#values[i]!);
    }
    this.count = count;
  }

  #put(at: number, start: number, end: number, value: number): void {
    this.#starts[at] = start;
    this.#ends[at] = end;
    this.#values[at] = value;
  }
}

function grown(column: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}
