/** Is told a run of pages, `from` of which has the number `value`. */
export type Seen = (from: number, to: number, value: number) => void;

/** A run is three numbers: where it starts, where it ends, and the number of its first page. */
const WIDTH = 3;

/** A sorted list of a few runs of pages `[start, end)` whose numbers rise with them. */
export class PageList {
  /** How many numbers `#runs` has of runs. */
  #length = 0;
  #runs = new Float64Array(4 * WIDTH);

  /** How many runs. */
  get count(): number {
    return this.#length / WIDTH;
  }

  /** Gives pages the numbers from `value` on; answers whether one had any. */
  add(start: number, end: number, value: number): boolean {
    let at = this.#first(start);
    const there = at < this.#length && this.#runs[at]! < end;
    if (there) {
      this.remove(start, end);
      at = this.#first(start);
    }
    this.#insert(at, start, end, value);
    return there;
  }

  get(page: number): number {
    const at = this.#first(page);
    const start = this.#runs[at]!;
    return at === this.#length || start > page ? -1 : this.#runs[at + 2]! + (page - start);
  }

  touches(start: number, end: number): boolean {
    const at = this.#first(start);
    return at < this.#length && this.#runs[at]! < end;
  }

  /** Tells the runs in `[start, end)`, clipped, in order. */
  visit(start: number, end: number, seen: Seen): void {
    for (let at = this.#first(start); at < this.#length; at += WIDTH) {
      if (!this.#tell(at, start, end, seen)) return;
    }
  }

  /** Takes the pages `[start, end)` out, and tells the runs of them as `visit` does. */
  remove(start: number, end: number, seen?: Seen): void {
    const from = this.#first(start);
    let to = from;
    while (to < this.#length && this.#tell(to, start, end, seen)) to += WIDTH;
    if (to === from) return;
    const runs = this.#runs;
    const head = runs[from]!;
    const headValue = runs[from + 2]!;
    const tail = runs[to - 2]!;
    const tailValue = runs[to - 1]! + (end - runs[to - WIDTH]!);
    const rest = (head < start ? WIDTH : 0) + (tail > end ? WIDTH : 0);
    this.#move(to, from + rest);
    let at = from;
    if (head < start) {
      this.#write(at, head, start, headValue);
      at += WIDTH;
    }
    if (tail > end) this.#write(at, end, tail, tailValue);
  }

  /** Tells what a run has of `[start, end)`; false when that is nothing. */
  #tell(at: number, start: number, end: number, seen: Seen | undefined): boolean {
    const runs = this.#runs;
    const low = runs[at]!;
    if (low >= end) return false;
    if (seen === undefined) return true;
    const from = low > start ? low : start;
    const high = runs[at + 1]!;
    seen(from, high < end ? high : end, runs[at + 2]! + (from - low));
    return true;
  }

  /** Where the first run is that ends past `page`. */
  #first(page: number): number {
    const runs = this.#runs;
    let low = 0;
    let high = this.#length / WIDTH;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (runs[middle * WIDTH + 1]! > page) high = middle;
      else low = middle + 1;
    }
    return low * WIDTH;
  }

  /** Nothing of `[start, end)` is in the list; it joins those beside it that it goes on from or into. */
  #insert(at: number, start: number, end: number, value: number): void {
    const runs = this.#runs;
    const before = at - WIDTH;
    const joinsNext =
      at < this.#length && runs[at] === end && value + (end - start) === runs[at + 2];
    const joinsLast =
      at > 0 && runs[before + 1] === start && runs[before + 2]! + (start - runs[before]!) === value;
    if (joinsLast) {
      runs[before + 1] = joinsNext ? runs[at + 1]! : end;
      if (joinsNext) this.#move(at + WIDTH, at);
    } else if (joinsNext) {
      runs[at] = start;
      runs[at + 2] = value;
    } else {
      this.#move(at, at + WIDTH);
      this.#write(at, start, end, value);
    }
  }

  /** Moves the runs from `at` on to `target`. */
  #move(at: number, target: number): void {
    const step = target - at;
    if (step === 0) return;
    const old = this.#length;
    this.#length = old + step;
    if (this.#length > this.#runs.length) {
      const larger = new Float64Array(this.#runs.length * 2);
      larger.set(this.#runs);
      this.#runs = larger;
    }
    const runs = this.#runs;
    if (step < 0) for (let i = at; i < old; i++) runs[i + step] = runs[i]!;
    else for (let i = old - 1; i >= at; i--) runs[i + step] = runs[i]!;
  }

  #write(at: number, start: number, end: number, value: number): void {
    const runs = this.#runs;
    runs[at] = start;
    runs[at + 1] = end;
    runs[at + 2] = value;
  }
}
