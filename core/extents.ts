import type { Extent } from './extent-leaf.js';
import { ExtentTree } from './extent-tree.js';
import type { ExtentWalk } from './extent-walk.js';
import type { PageRange } from './page-range.js';
import { PageTable } from './page-table.js';

export type { Extent } from './extent-leaf.js';

/** Nobody changes a few pages at a time who changes more than so many at once. */
const SHORT = 64;

/** So many changes of a few pages, and one for every eight pages there are, are worth a table. */
const PATIENCE = 1024;
const PAGES_EACH = 8;

/** A table of more pages is not kept for none at all. */
const KEPT = 2 ** 16;

/**
 * A map from pages to numbers, as sorted runs: page frames of a file, a set of pages, stage-2.
 *
 * A run of n pages holds n consecutive numbers, so neighbours join when their numbers do. Runs are
 * kept in a tree; by page, once they were changed a few pages at a time often enough for that.
 */
export class Extents {
  #tree = new ExtentTree();
  /** In place of the tree. */
  #table: PageTable | undefined;
  /** How often few pages were set since more were, and when a table would be worth it. */
  #short = 0;
  #price = PATIENCE;

  /** How many pages hold a number. */
  get pages(): number {
    return (this.#table ?? this.#tree).pages;
  }

  /** The end of the last run, 0 when there is none. */
  get limit(): number {
    return this.last()?.end ?? 0;
  }

  /** The first run, or undefined when nothing is held. */
  first(): Extent | undefined {
    const walk = this.#walk(0, Infinity);
    return walk?.next() ? { start: walk.start, end: walk.end, value: walk.value } : undefined;
  }

  /** The last run, or undefined when nothing is held. */
  last(): Extent | undefined {
    return (this.#table ?? this.#tree).last();
  }

  /** The number that a page holds, or -1. */
  get(page: number): number {
    return this.#table === undefined ? this.#tree.get(page) : this.#table.get(page);
  }

  has(page: number): boolean {
    return this.get(page) >= 0;
  }

  /** How many pages of `[start, end)` hold something. */
  count(start: number, end: number): number {
    if (end - start === 1) return this.get(start) < 0 ? 0 : 1;
    return (this.#table ?? this.#tree).count(start, end);
  }

  /** The first page of `[start, end)` that holds something, or `end`. */
  firstHeld(start: number, end: number): number {
    const walk = this.#walk(start, end);
    return walk?.next() ? walk.start : end;
  }

  /** The first page of `[start, end)` that holds nothing, or `end`. */
  firstHole(start: number, end: number): number {
    const walk = this.#walk(start, end);
    let page = start;
    while (walk?.next() && walk.start === page) page = walk.end;
    return page;
  }

  /** Lets the pages `[start, end)` hold `value`, `value + 1`, …; what they held is forgotten. */
  set(start: number, end: number, value: number): void {
    if (this.#isTable(start, end, value)) {
      this.#table!.set(start, end, value);
    } else this.#tree.set(start, end, value);
  }

  /** A set of pages is the map of every page to itself. */
  add(start: number, end: number): void {
    this.set(start, end, start);
  }

  /** Forgets what the pages `[start, end)` hold; returns how many held something. */
  delete(start: number, end: number): number {
    if (this.#table !== undefined) {
      if (end - start <= SHORT) return this.#deleteFromTable(this.#table, start, end);
      this.#leaveTable(this.#table);
    }
    return this.#tree.delete(start, end);
  }

  /** The runs in `[start, end)`, clipped to it and in order. */
  runs(start = 0, end = Infinity): Extent[] {
    if (end - start === 1) {
      const value = this.get(start);
      return value < 0 ? [] : [{ start, end, value }];
    }
    // Mostly one, and an array that is made for one is a tenth as large as one that grew to it.
    let found: Extent[] | undefined;
    this.eachRun(
      (start, end, value) => {
        const run = { start, end, value };
        if (found === undefined) found = [run];
        else found.push(run);
      },
      start,
      end,
    );
    return found ?? [];
  }

  /** Tells those runs, one after the other; nothing may change meanwhile. */
  eachRun(
    tell: (start: number, end: number, value: number) => void,
    from = 0,
    to = Infinity,
  ): void {
    const walk = this.#walk(from, to);
    if (!walk?.next()) return;
    let { start, end, value } = walk;
    while (walk.next()) {
      // A run that crosses from one leaf to the next may be stored as two.
      if (end === walk.start && value + (walk.start - start) === walk.value) end = walk.end;
      else {
        tell(start, end, value);
        ({ start, end, value } = walk);
      }
    }
    tell(start, end, value);
  }

  /** The pages of `[start, end)` that hold something, whatever it is, as sorted ranges. */
  ranges(start = 0, end = Infinity): PageRange[] {
    const found: { start: number; end: number }[] = [];
    const walk = this.#walk(start, end);
    while (walk?.next()) {
      const last = found.at(-1);
      if (last?.end === walk.start) last.end = walk.end;
      else found.push({ start: walk.start, end: walk.end });
    }
    return found;
  }

  /** The pages of `[start, end)` that hold nothing, as sorted ranges. */
  holes(start: number, end: number): PageRange[] {
    const found: PageRange[] = [];
    const walk = this.#walk(start, end);
    let at = start;
    while (walk?.next()) {
      if (walk.start > at) found.push({ start: at, end: walk.start });
      at = walk.end;
    }
    if (at >= end) return found;
    if (found.length === 0) return [{ start: at, end }]; // As above.
    found.push({ start: at, end });
    return found;
  }

  #walk(start: number, end: number): ExtentWalk | undefined {
    return (this.#table ?? this.#tree).walk(start, end);
  }

  /** Whether these pages are to be set in a table; there may be one now, or none any more. */
  #isTable(start: number, end: number, value: number): boolean {
    if (end - start > SHORT) {
      this.#short = 0;
      if (this.#table !== undefined) this.#leaveTable(this.#table);
      return false;
    }
    if (this.#table === undefined) {
      if (++this.#short < this.#price) return false;
      this.#makeTable();
    }
    if (this.#table === undefined) return false;
    if (this.#table.fits(start, end, value)) return true;
    this.#leaveTable(this.#table);
    return false;
  }

  #makeTable(): void {
    const last = this.last();
    const limit = last?.end ?? 0;
    this.#price = Math.max(limit / PAGES_EACH, 2 * this.#short);
    if (limit > PAGES_EACH * this.#short || !PageTable.reaches(limit)) return;
    const table = new PageTable(limit);
    let fits = true;
    this.eachRun((start, end, value) => {
      fits &&= table.fits(start, end, value);
      if (fits) table.set(start, end, value);
    });
    if (!fits) return;
    this.#table = table;
    this.#tree = new ExtentTree();
  }

  #deleteFromTable(table: PageTable, start: number, end: number): number {
    const gone = table.delete(start, end);
    if (table.pages === 0 && table.length > KEPT) this.#leaveTable(table);
    return gone;
  }

  #leaveTable(table: PageTable): void {
    this.#table = undefined;
    this.#short = 0;
    this.#price = PATIENCE;
    const walk = table.walk(0, Infinity);
    while (walk?.next()) this.#tree.set(walk.start, walk.end, walk.value);
  }
}
