import type { Extent } from './extent-leaf.js';
import * as leaf from './extent-leaf.js';
import * as table from './extent-table.js';
import { ExtentWalk, TableWalk } from './extent-walk.js';
import { LeafTree } from './leaf-tree.js';
import { PageTable } from './page-table.js';
import type { PageRange } from './page-range.js';

export type { Extent } from './extent-leaf.js';

/** Of no more runs than this a table becomes a leaf of runs again. */
const FEW = 6;

/** Nobody changes a few pages at a time who changes more than so many at once. */
const SHORT = 64;

/** So many changes of a few pages, and one for each page there is, are worth a table. */
const PATIENCE = 1024;

/**
 * A map from pages to numbers, as sorted runs: page frames of a file, a set of pages, stage-2.
 *
 * A run of n pages holds n consecutive numbers, so neighbours join when their numbers do. Runs lie
 * in leaves of a tree, which split when they are full, so that no operation moves more than the
 * runs of one leaf. Where runs get as short as a few pages, a leaf is a table by page instead; and so
 * is all of it, once it was changed a few pages at a time as often as it has pages.
 */
export class Extents {
  #tree = new LeafTree();
  /** How many pages hold a number, in the tree. */
  #pages = 0;
  /** In place of the tree. */
  #table: PageTable | undefined;
  /** How often few pages were set since more were, and when a table would be worth it. */
  #short = 0;
  #price = PATIENCE;

  /** How many pages hold a number. */
  get pages(): number {
    return this.#table === undefined ? this.#pages : this.#table.pages;
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
    if (this.pages === 0) return undefined;
    if (this.#table !== undefined) {
      const page = this.#table.lastHeld;
      const start = this.#table.runStart(page);
      return { start, end: page + 1, value: this.#table.get(start) };
    }
    const tree = this.#tree;
    tree.seekLast();
    const { rows, base, low } = tree;
    if (table.isTable(rows, base)) return table.last(rows, base, low);
    const at = base + rows[base]!;
    return { start: rows[at]!, end: rows[at + leaf.END]!, value: rows[at + leaf.VALUE]! };
  }

  /** The number that a page holds, or -1. */
  get(page: number): number {
    if (this.#table !== undefined) return this.#table.get(page);
    if (this.#pages === 0) return -1;
    const tree = this.#tree;
    tree.seek(page);
    const { rows, base } = tree;
    if (table.isTable(rows, base)) return table.held(rows, base, page - tree.low);
    const at = tree.begun(page);
    if (at === base || rows[at + leaf.END]! <= page) return -1;
    return rows[at + leaf.VALUE]! + (page - rows[at]!);
  }

  has(page: number): boolean {
    return this.get(page) >= 0;
  }

  /** How many pages of `[start, end)` hold something. */
  count(start: number, end: number): number {
    if (end - start === 1) return this.get(start) < 0 ? 0 : 1;
    const tree = this.#tree;
    if (this.#table === undefined) tree.seek(start);
    const { rows, base } = tree;
    if (this.#table === undefined && end <= tree.high && !table.isTable(rows, base)) {
      return leaf.count(rows, base, tree.begun(start), start, end);
    }
    const walk = this.#walk(start, end);
    let pages = 0;
    while (walk?.next()) pages += walk.end - walk.start;
    return pages;
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
    } else this.#setInTree(start, end, value);
  }

  #setInTree(start: number, end: number, value: number): void {
    const tree = this.#tree;
    tree.fit(start, end, value);
    tree.seek(start);
    const { rows, base, low, high } = tree;
    if (table.isTable(rows, base)) {
      if (end <= high && end - low <= table.PAGES) {
        const removed = table.replace(rows, base, start - low, end - low, value);
        this.#pages += end - start - removed;
        this.#settle();
        return;
      }
    } else if (start > low && end < high && start < end) {
      // As it is mostly: a hole, with leaves that do not matter around it.
      const at = tree.begun(start);
      if (
        leaf.isHole(rows, base, at, start, end) &&
        leaf.insert(rows, base, at, start, end, value)
      ) {
        this.#pages += end - start;
        // Who sets a page often deletes it next, and the other way round.
        tree.found = at < base + leaf.RUNS && rows[at + 1]! <= start ? at + 1 : at;
        return;
      }
    }
    this.delete(start, end);
    for (let at = start; at < end;) at = this.#fill(at, end, value + (at - start));
  }

  /** A set of pages is the map of every page to itself. */
  add(start: number, end: number): void {
    this.set(start, end, start);
  }

  /** Forgets what the pages `[start, end)` hold; returns how many held something. */
  delete(start: number, end: number): number {
    if (this.#table !== undefined) {
      if (end - start <= SHORT) return this.#table.delete(start, end);
      this.#leaveTable();
    }
    if (this.#pages === 0) return 0;
    const tree = this.#tree;
    let removed = 0;
    for (let at = start; at < end;) {
      tree.seek(at);
      const stop = Math.min(end, tree.high);
      const gone = this.#forget(at, stop);
      if (gone < 0) {
        this.#split(at);
        continue;
      }
      removed += gone;
      at = stop;
    }
    if (this.#pages === 0 && tree.isLarge) this.#tree = new LeafTree();
    return removed;
  }

  /** Forgets pages of the leaf at hand; -1 when it has to be split for that. */
  #forget(start: number, end: number): number {
    const tree = this.#tree;
    const { rows, base, low } = tree;
    if (table.isTable(rows, base)) {
      const stop = Math.min(end - low, table.PAGES);
      if (start - low >= stop) return 0;
      const gone = table.replace(rows, base, start - low, stop, -1);
      this.#pages -= gone;
      this.#settle();
      return gone;
    }
    const at = tree.begun(start);
    const gone = leaf.remove(rows, base, at, start, end);
    if (gone > 0) {
      if (at > base) tree.found = at - 1;
      this.#pages -= gone;
      if (rows[base] === 0 && !tree.isFirst) tree.drop();
    }
    return gone;
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

  /** Whether these pages are to be set in a table; there may be one now, or none any more. */
  #isTable(start: number, end: number, value: number): boolean {
    if (end - start > SHORT) {
      this.#short = 0;
      if (this.#table !== undefined) this.#leaveTable();
      return false;
    }
    if (this.#table === undefined) {
      if (++this.#short < this.#price) return false;
      this.#makeTable();
    }
    if (this.#table === undefined) return false;
    if (this.#table.fits(start, end, value)) return true;
    this.#leaveTable();
    return false;
  }

  #makeTable(): void {
    const last = this.last();
    const limit = last?.end ?? 0;
    this.#price = Math.max(limit, 2 * this.#short);
    if (limit > this.#short || !PageTable.reaches(limit)) return;
    const table = new PageTable(limit);
    let fits = true;
    this.eachRun((start, end, value) => {
      fits &&= table.fits(start, end, value);
      if (fits) table.set(start, end, value);
    });
    if (!fits) return;
    this.#table = table;
    this.#tree = new LeafTree();
    this.#pages = 0;
  }

  #leaveTable(): void {
    const table = this.#table!;
    const walk = new TableWalk(table, 0, Infinity);
    this.#table = undefined;
    this.#short = 0;
    this.#price = PATIENCE;
    while (walk.next()) this.#setInTree(walk.start, walk.end, walk.value);
  }

  #walk(start: number, end: number): ExtentWalk | TableWalk | undefined {
    if (start >= end) return undefined;
    if (this.#table !== undefined) return new TableWalk(this.#table, start, end);
    if (this.#pages === 0) return undefined;
    return new ExtentWalk(this.#tree, start, end);
  }

  /** Lets a hole hold numbers, up to a page short of `end` at times; answers which. */
  #fill(start: number, end: number, value: number): number {
    const tree = this.#tree;
    tree.fit(start, end, value); // It can be another one by now.
    if (tree.isEmpty) tree.begin();
    tree.seek(start);
    if (table.isTable(tree.rows, tree.base)) {
      const top = tree.low + table.PAGES;
      if (start < top) {
        const stop = Math.min(end, top, tree.high);
        table.replace(tree.rows, tree.base, start - tree.low, stop - tree.low, value);
        this.#pages += stop - start;
        this.#settle();
        return stop;
      }
      tree.add(top);
    }
    if (tree.rows[tree.base] === leaf.RUNS) {
      this.#split(start);
      return start;
    }
    if (start === tree.low) this.#joinBefore(start, value);
    const stop = end < tree.high ? end : this.#joinAfter(start, end, value);
    const { rows, base } = tree;
    leaf.insert(rows, base, tree.begun(start), start, stop, value);
    this.#pages += stop - start;
    return stop;
  }

  /** Takes the leaf before to hand if what begins here continues its last run. */
  #joinBefore(start: number, value: number): void {
    const tree = this.#tree;
    tree.previous();
    const { rows, base } = tree;
    const at = base + rows[base]!;
    if (at <= base || !leaf.continues(rows, at, start, value)) tree.next();
  }

  /**
   * Lets the leaf at hand reach as far as `end`, which is a hole up to there, or further if what the
   * next one begins with continues that; answers how far.
   */
  #joinAfter(start: number, end: number, value: number): number {
    const tree = this.#tree;
    let stop = end;
    while (tree.high <= stop) {
      tree.next();
      const { rows, base, low } = tree;
      const at = base + 1;
      if (table.isTable(rows, base)) stop = low;
      else if (rows[at] === stop && rows[at + leaf.VALUE] === value + (stop - start)) {
        stop = rows[at + leaf.END]!;
        this.#pages -= stop - rows[at]!;
        leaf.close(rows, base, at, at + 1);
      }
      if (rows[base] === 0) tree.drop();
      else {
        if (low < stop) tree.beginAt(stop);
        tree.previous();
        break;
      }
    }
    return stop;
  }

  /** Makes room in the leaf at hand, which has as many runs as it can, for one around `page`. */
  #split(page: number): void {
    const tree = this.#tree;
    const { rows, base } = tree;
    const start = rows[base + 1]!;
    const end = rows[base + leaf.RUNS + leaf.END]!;
    if (end - start <= 2 * table.PAGES) this.#toTables(start, end);
    // Pages that come in order leave full leaves behind them.
    else if (page >= end) tree.add(end);
    else {
      const from = base + 1 + (leaf.RUNS >>> 1);
      tree.add(rows[from]!);
      const { rows: into, base: other } = tree;
      tree.previous();
      leaf.move(tree.rows, base, from, base + leaf.RUNS + 1, into, other);
    }
  }

  /** Keeps the runs of the leaf at hand by page, in as much room as if it was split. */
  #toTables(start: number, end: number): void {
    const tree = this.#tree;
    const runs = this.runs(start, end);
    tree.seek(start);
    leaf.clear(tree.rows, tree.base);
    if (!tree.isFirst) tree.drop();
    for (let low = start; low < end; low += table.PAGES) {
      tree.add(low);
      table.clear(tree.rows, tree.base);
    }
    for (const run of runs) {
      for (let at = run.start; at < run.end;) {
        tree.seek(at);
        const { rows, base, low } = tree;
        const stop = Math.min(run.end, low + table.PAGES);
        table.replace(rows, base, at - low, stop - low, run.value + (at - run.start));
        at = stop;
      }
    }
  }

  /** The table at hand has changed: it is a table no more when it has few runs now. */
  #settle(): void {
    const tree = this.#tree;
    const { rows, base, low } = tree;
    const count = table.runs(rows, base);
    if (count > FEW) return;
    const runs = count === 0 ? [] : this.runs(low, Math.min(low + table.PAGES, tree.high));
    tree.drop();
    for (const { start, end, value } of runs) {
      this.#pages -= end - start;
      this.#setInTree(start, end, value);
    }
  }
}
