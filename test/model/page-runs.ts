/** Runs of pages `[start, end)` whose numbers rise with them. */
export interface PageRun {
  readonly start: number;
  readonly end: number;
  readonly value: number;
}

/** Pages of one list of runs: a run that crosses into the next is kept as two. */
const BUCKET = 2 ** 10;

/** A sorted list of runs, in columns: lists of objects are slow to move. */
class Runs {
  count = 0;
  starts = new Float64Array(4);
  ends = new Float64Array(4);
  values = new Float64Array(4);

  /** The first run that ends past `page`. */
  first(page: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle]! > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  touches(start: number, end: number): boolean {
    const at = this.first(start);
    return at < this.count && this.starts[at]! < end;
  }

  /** Nothing of `[start, end)` is in the list; it joins those beside it that it goes on from or into. */
  insert(start: number, end: number, value: number): void {
    const { starts, ends, values } = this;
    const at = this.first(start);
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

  remove(start: number, end: number): void {
    const from = this.first(start);
    let to = from;
    while (to < this.count && this.starts[to]! < end) to++;
    if (to === from) return;
    const head = this.starts[from]!;
    const headValue = this.values[from]!;
    const tail = this.ends[to - 1]!;
    const tailValue = this.values[to - 1]! + (end - this.starts[to - 1]!);
    let at = from;
    const rest = (head < start ? 1 : 0) + (tail > end ? 1 : 0);
    if (from + rest !== to) this.#move(to, from + rest);
    if (head < start) this.#put(at++, head, start, headValue);
    if (tail > end) this.#put(at, end, tail, tailValue);
  }

  /** Moves the runs from `at` on to `target`. */
  #move(at: number, target: number): void {
    const count = this.count + target - at;
    if (count > this.starts.length) {
      this.starts = grown(this.starts);
      this.ends = grown(this.ends);
      this.values = grown(this.values);
    }
    const { starts, ends, values } = this;
    if (this.count - at > 32) {
      starts.copyWithin(target, at, this.count);
      ends.copyWithin(target, at, this.count);
      values.copyWithin(target, at, this.count);
    } else {
      // A loop is faster than three calls into the runtime for as little as this.
      const step = target < at ? 1 : -1;
      for (let i = step > 0 ? at : this.count - 1; i >= at && i < this.count; i += step) {
        this.#put(i + target - at, starts[i]!, ends[i]!, values[i]!);
      }
    }
    this.count = count;
  }

  #put(at: number, start: number, end: number, value: number): void {
    this.starts[at] = start;
    this.ends[at] = end;
    this.values[at] = value;
  }
}

function grown(column: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}

/**
 * A map from pages to numbers, the model's own: plain sorted lists of runs, one for every 2^10
 * pages. As a set, every page has itself for a number.
 */
export class PageRuns {
  readonly #buckets = new Map<number, Runs>();

  /** The pages `[start, end)` get the numbers from `value` on; as a set, themselves. */
  add(start: number, end: number, value: number = start): void {
    for (let from = start; from < end;) {
      const key = Math.floor(from / BUCKET);
      const to = Math.min(end, (key + 1) * BUCKET);
      let runs = this.#buckets.get(key);
      if (runs === undefined) this.#buckets.set(key, (runs = new Runs()));
      else runs.remove(from, to);
      runs.insert(from, to, value + (from - start));
      from = to;
    }
  }

  remove(start: number, end: number): void {
    const key = Math.floor(start / BUCKET);
    if (end <= (key + 1) * BUCKET) this.#buckets.get(key)?.remove(start, end);
    else for (const key of this.#keys(start, end)) this.#buckets.get(key)!.remove(start, end);
  }

  /** The number of a page, or -1. */
  get(page: number): number {
    const runs = this.#buckets.get(Math.floor(page / BUCKET));
    if (runs === undefined) return -1;
    const at = runs.first(page);
    const start = runs.starts[at]!;
    return at === runs.count || start > page ? -1 : runs.values[at]! + (page - start);
  }

  touches(start: number, end: number): boolean {
    const key = Math.floor(start / BUCKET);
    if (end <= (key + 1) * BUCKET) return this.#buckets.get(key)?.touches(start, end) ?? false;
    return this.#keys(start, end).some((key) => this.#buckets.get(key)!.touches(start, end));
  }

  /** Whether all of the pages have a number. */
  covers(start: number, end: number): boolean {
    let at = start;
    for (const run of this.within(start, end)) {
      if (run.start > at) return false;
      at = run.end;
    }
    return at >= end;
  }

  /** The runs in `[start, end)`, clipped, in order; those of different lists are not joined. */
  within(start: number, end: number): PageRun[] {
    const found: PageRun[] = [];
    for (const key of this.#keys(start, end)) {
      const { count, starts, ends, values } = this.#buckets.get(key)!;
      for (let i = this.#buckets.get(key)!.first(start); i < count && starts[i]! < end; i++) {
        const from = Math.max(starts[i]!, start);
        const value = values[i]! + (from - starts[i]!);
        found.push({ start: from, end: Math.min(ends[i]!, end), value });
      }
    }
    return found;
  }

  /** The lists that there are for `[start, end)`, in order. */
  #keys(start: number, end: number): number[] {
    const from = Math.floor(start / BUCKET);
    const to = Math.ceil(end / BUCKET);
    if (to - from <= this.#buckets.size) {
      const keys: number[] = [];
      for (let key = from; key < to; key++) if (this.#buckets.has(key)) keys.push(key);
      return keys;
    }
    const keys = [...this.#buckets.keys()].filter((key) => key >= from && key < to);
    return keys.sort((a, b) => a - b);
  }
}
