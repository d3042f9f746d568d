import type { Extent } from './extent-leaf.js';
import type { ExtentWalk } from './extent-walk.js';

/** How many pages of a table are summed up together. */
const BLOCK_BITS = 8;
const BLOCK = 1 << BLOCK_BITS;

/** What a page has that holds nothing. */
const NOTHING = -1;

/** A table has no more pages than that, which take 16 MB. */
const MOST = 2 ** 22;

/** Values are less than this, or there can be no table of them. */
const NARROW = 2 ** 31 - 1;

/**
 * What pages hold, page by page, for a file that is used a few pages at a time again and again:
 * nothing is searched for, and no branch depends on what lies around a page.
 *
 * Of every 256 pages it knows how many hold something, and in how many runs, so that whoever asks
 * for all of it need not look at every page.
 */
export class PageTable {
  #values: Int32Array;
  #held: Uint16Array;
  /** How many runs begin in a block, whose first page begins one if it holds anything. */
  #runs: Uint16Array;
  #pages = 0;

  constructor(pages: number) {
    const blocks = Math.max(1, 2 ** Math.ceil(Math.log2(pages / BLOCK)));
    this.#values = new Int32Array(blocks * BLOCK).fill(NOTHING);
    this.#held = new Uint16Array(blocks);
    this.#runs = new Uint16Array(blocks);
  }

  /** Whether there can be a table that reaches as far as `end`. */
  static reaches(end: number): boolean {
    return end <= MOST;
  }

  /** How many pages hold something. */
  get pages(): number {
    return this.#pages;
  }

  /** How many pages there is room for. */
  get length(): number {
    return this.#values.length;
  }

  /** Makes room for such numbers; false when they are too large, or far away from all others. */
  fits(start: number, end: number, value: number): boolean {
    const { length } = this.#values;
    if (value + (end - start) >= NARROW) return false;
    if (end <= length) return true;
    if (end > 2 * length || end > MOST) return false;
    const larger = new PageTable(2 * length);
    larger.#values.set(this.#values);
    larger.#held.set(this.#held);
    larger.#runs.set(this.#runs);
    this.#values = larger.#values;
    this.#held = larger.#held;
    this.#runs = larger.#runs;
    return true;
  }

  /** What a page holds, or -1. */
  get(page: number): number {
    const values = this.#values;
    return page < values.length ? values[page]! : NOTHING;
  }

  /** Lets pages that are within the table hold numbers from `value` on. */
  set(start: number, end: number, value: number): void {
    for (let page = start; page < end; page++) this.#put(page, value + (page - start));
  }

  /** Answers how many pages held something. */
  delete(start: number, end: number): number {
    const before = this.#pages;
    const stop = Math.min(end, this.#values.length);
    for (let page = start; page < stop; page++) {
      if (this.#values[page] !== NOTHING) this.#put(page, NOTHING);
    }
    return before - this.#pages;
  }

  #put(page: number, value: number): void {
    const values = this.#values;
    const block = page >>> BLOCK_BITS;
    const before = values[page]!;
    // What is beside it in other blocks is of no run of this one.
    const at = page & (BLOCK - 1);
    const left = at === 0 ? NOTHING : values[page - 1]!;
    const right = at === BLOCK - 1 ? NOTHING : values[page + 1]!;
    if (before !== NOTHING) {
      this.#pages--;
      this.#held[block]!--;
      this.#runs[block]! -= 1 - Number(joins(left, before)) - Number(joins(before, right));
    }
    if (value !== NOTHING) {
      this.#pages++;
      this.#held[block]!++;
      this.#runs[block]! += 1 - Number(joins(left, value)) - Number(joins(value, right));
    }
    values[page] = value;
  }

  /** The first page from `page` on that holds something, or the end of the table. */
  nextHeld(page: number): number {
    const values = this.#values;
    const { length } = values;
    while (page < length) {
      if ((page & (BLOCK - 1)) === 0 && this.#held[page >>> BLOCK_BITS] === 0) page += BLOCK;
      else if (values[page] === NOTHING) page++;
      else return page;
    }
    return length;
  }

  /** Where the run that has `page` ends. */
  runEnd(page: number): number {
    const values = this.#values;
    const { length } = values;
    let end = page + 1;
    while (end < length && joins(values[end - 1]!, values[end]!)) {
      const block = end >>> BLOCK_BITS;
      const isWhole = (end & (BLOCK - 1)) === 0 && this.#runs[block] === 1;
      end += isWhole ? this.#held[block]! : 1;
    }
    return end;
  }

  /** The last run, or undefined when nothing is held. */
  last(): Extent | undefined {
    if (this.#pages === 0) return undefined;
    let block = this.#held.length - 1;
    while (this.#held[block] === 0) block--;
    let page = block * BLOCK + BLOCK - 1;
    while (this.#values[page] === NOTHING) page--;
    const start = this.#runStart(page);
    return { start, end: page + 1, value: this.#values[start]! };
  }

  /** How many pages of `[start, end)` hold something. */
  count(start: number, end: number): number {
    const walk = this.walk(start, end);
    let pages = 0;
    while (walk?.next()) pages += walk.end - walk.start;
    return pages;
  }

  /** Goes through the runs in `[start, end)`; nothing may change meanwhile. */
  walk(start: number, end: number): ExtentWalk | undefined {
    return start < end ? new TableWalk(this, start, end) : undefined;
  }

  /** Where the run that has `page` begins. */
  #runStart(page: number): number {
    const values = this.#values;
    let start = page;
    while (start > 0 && joins(values[start - 1]!, values[start]!)) {
      const block = (start - 1) >>> BLOCK_BITS;
      const isWhole = (start & (BLOCK - 1)) === 0 && this.#runs[block] === 1;
      start -= isWhole ? this.#held[block]! : 1;
    }
    return start;
  }
}

/** Goes through the runs of a table. */
class TableWalk implements ExtentWalk {
  start = 0;
  end = 0;
  value = 0;
  readonly #table: PageTable;
  readonly #to: number;
  #at: number;

  constructor(table: PageTable, from: number, to: number) {
    this.#table = table;
    this.#to = Math.min(to, table.length);
    this.#at = from;
  }

  next(): boolean {
    const start = this.#table.nextHeld(this.#at);
    if (start >= this.#to) return false;
    this.#at = this.#table.runEnd(start);
    this.start = start;
    this.end = Math.min(this.#at, this.#to);
    this.value = this.#table.get(start);
    return true;
  }
}

/** Whether what two pages beside each other hold is of one run. */
function joins(left: number, right: number): boolean {
  return left >= 0 && right === left + 1;
}
