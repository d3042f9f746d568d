import type { PageRange } from './page-range.js';
import { firstAbove } from './search.js';

/** Pages `[start, end)` that hold the numbers `value`, `value + 1`, … */
export interface Extent extends PageRange {
  readonly value: number;
}

/** Room for so many runs more wastes little, and copies each run a few times at most. */
function roomy(runs: number): number {
  return runs + Math.max(16, runs >>> 3);
}

/** The largest number of a narrow row. */
const NARROW = 2 ** 31 - 1;

/** Where the end and the value of a run are, counted from its start. */
const END = 1;
const VALUE = 2;
const ROW = 3;

/**
 * Some runs of pages beside each other, sorted, in rows of three numbers: start and end relative to
 * the page where the block begins, and the number that the first page holds. A row has 12 bytes as
 * long as no number of the block needs more than 32 bits, and 24 from then on.
 */
export class ExtentBlock {
  /** The page that its rows count from. */
  low: number;
  count = 0;
  /** It has room for every page up to the next block. */
  readonly limit = Infinity;
  #rows: Int32Array | Float64Array;
  /** What was found last: a page that is looked up is often written next. */
  #found = 0;

  constructor(low: number, rows: Int32Array | Float64Array = new Int32Array(4 * ROW)) {
    this.low = low;
    this.#rows = rows;
  }

  /** What of the pages before `end` it has room for. */
  clip(end: number): number {
    return end;
  }

  /** Whether it has more runs than it should. */
  misfits(blockRuns: number): boolean {
    return this.count > blockRuns;
  }

  start(run: number): number {
    return this.#rows[run * ROW]!;
  }

  end(run: number): number {
    return this.#rows[run * ROW + END]!;
  }

  value(run: number): number {
    return this.#rows[run * ROW + VALUE]!;
  }

  /** What a page, counted from `low`, holds, or -1. */
  get(page: number): number {
    const run = this.find(page);
    const rows = this.#rows;
    if (run === this.count || rows[run * ROW]! > page) return -1;
    return rows[run * ROW + VALUE]! + (page - rows[run * ROW]!);
  }

  /** The first page from `page` on, counted from `low`, that holds something, or Infinity. */
  nextHeld(page: number): number {
    const run = this.find(page);
    return run === this.count ? Infinity : Math.max(this.start(run), page);
  }

  /** The first page from `page` on, counted from `low`, that holds nothing. */
  nextHole(page: number): number {
    for (let run = this.find(page); run < this.count && this.start(run) <= page; run++) {
      page = this.end(run);
    }
    return page;
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
    const rows = this.#rows;
    const { count } = this;
    const found = this.#found;
    if (found < count && rows[found * ROW + END]! > page) {
      if (found === 0 || rows[found * ROW - ROW + END]! <= page) return found;
    }
    return (this.#found = firstAbove(rows, count, ROW, END, page));
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
    const rows = this.#rows;
    let from = this.find(start);
    let to = from;
    let removed = 0;
    for (; to < this.count && rows[to * ROW]! < end; to++) {
      removed += Math.min(rows[to * ROW + END]!, end) - Math.max(rows[to * ROW]!, start);
    }
    if (value < 0 && to === from) return 0;
    let headStart = start;
    let headValue = 0;
    let tailEnd = end;
    let tailValue = 0;
    if (to > from) {
      const last = to * ROW - ROW;
      headStart = rows[from * ROW]!;
      headValue = rows[from * ROW + VALUE]!;
      tailEnd = rows[last + END]!;
      tailValue = rows[last + VALUE]! + (end - rows[last]!);
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
      } else if (from > 0 && rows[from * ROW - ROW + END] === start) {
        const before = rows[from * ROW - ROW]!;
        const held = rows[from * ROW - ROW + VALUE]!;
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
        rows[to * ROW] === end &&
        value + (end - start) === rows[to * ROW + VALUE]!
      ) {
        end = rows[to * ROW + END]!;
        to++;
      }
    }
    this.#makeRoom(from, to, (keepHead ? 1 : 0) + (value >= 0 ? 1 : 0) + (keepTail ? 1 : 0));
    if (value > NARROW || (value >= 0 && end > NARROW) || (keepTail && tailValue > NARROW)) {
      this.#widen();
    }
    // A run ends where the next begins, so the bounds of the middle serve all three.
    if (keepHead) this.#write(from++, headStart, start, headValue);
    if (value >= 0) this.#write(from++, start, end, value);
    if (keepTail) this.#write(from, end, tailEnd, tailValue);
    return removed;
  }

  /** Adds a run behind the others, none of which it joins. */
  append(start: number, end: number, value: number): void {
    this.#makeRoom(this.count, this.count, 1);
    if (value > NARROW || end > NARROW) this.#widen();
    this.#write(this.count - 1, start, end, value);
  }

  /** Takes the second half of its runs out, into a block of their own. */
  split(): ExtentBlock {
    const half = this.count >>> 1;
    const by = this.start(half);
    const moved = this.#rows.subarray(half * ROW, this.count * ROW);
    const other = new ExtentBlock(this.low + by, moved);
    other.count = this.count - half;
    other.#rebase(by);
    other.#resize(roomy(other.count));
    this.count = half;
    this.#resize(roomy(half));
    return other;
  }

  /** Begins at a later page; the runs before it are gone already. */
  beginAt(low: number): void {
    this.#rebase(low - this.low);
    this.low = low;
  }

  #rebase(by: number): void {
    const rows = this.#rows;
    for (let at = 0; at < this.count * ROW; at += ROW) {
      rows[at]! -= by;
      rows[at + END]! -= by;
    }
  }

  #write(run: number, start: number, end: number, value: number): void {
    const rows = this.#rows;
    rows[run * ROW] = start;
    rows[run * ROW + END] = end;
    rows[run * ROW + VALUE] = value;
  }

  /** Makes the runs `[from, to)` exactly `wanted` many. */
  #makeRoom(from: number, to: number, wanted: number): void {
    const moved = from + wanted - to;
    if (moved === 0) return;
    const count = this.count + moved;
    const capacity = this.#rows.length / ROW;
    if (count > capacity) {
      this.#resize(count < 32 ? capacity * 2 : roomy(count));
    }
    const rows = this.#rows;
    const end = this.count * ROW;
    const by = moved * ROW;
    if (this.count - to > 32) rows.copyWithin(to * ROW + by, to * ROW, end);
    // A loop is faster than a call into the runtime for as little as this.
    else if (by < 0) for (let i = to * ROW; i < end; i++) rows[i + by] = rows[i]!;
    else for (let i = end - 1; i >= to * ROW; i--) rows[i + by] = rows[i]!;
    this.count = count;
  }

  /** Makes room for so many runs, in narrow rows if they fit now. */
  #resize(runs: number): void {
    const used = this.#rows.subarray(0, this.count * ROW);
    const narrow = used instanceof Int32Array || used.every((number) => number <= NARROW);
    this.#rows = new (narrow ? Int32Array : Float64Array)(runs * ROW);
    this.#rows.set(used);
  }

  #widen(): void {
    if (this.#rows instanceof Int32Array) this.#rows = Float64Array.from(this.#rows);
  }
}
