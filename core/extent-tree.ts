import type { Extent } from './extent-leaf.js';
import * as leaf from './extent-leaf.js';
import * as table from './extent-table.js';
import { TreeWalk } from './extent-walk.js';
import { LeafTree } from './leaf-tree.js';

/** Of no more runs than this a table becomes a leaf of runs again. */
const FEW = 6;

/**
 * What pages hold, as runs in the leaves of a tree, which split when they are full, so that no
 * operation moves more than the runs of one leaf. Where runs get as short as a few pages, a leaf is a
 * table by page instead.
 */
export class ExtentTree {
  #tree = new LeafTree();
  #pages = 0;

  /** How many pages hold a number. */
  get pages(): number {
    return this.#pages;
  }

  /** The last run, or undefined when nothing is held; of one that is stored as two, the second. */
  last(): Extent | undefined {
    if (this.#pages === 0) return undefined;
    const tree = this.#tree;
    tree.seekLast();
    const { rows, base, low } = tree;
    if (table.isTable(rows, base)) return table.last(rows, base, low);
    const at = base + rows[base]!;
    return { start: rows[at]!, end: rows[at + leaf.END]!, value: rows[at + leaf.VALUE]! };
  }

  /** The number that a page holds, or -1. */
  get(page: number): number {
    if (this.#pages === 0) return -1;
    const tree = this.#tree;
    tree.seek(page);
    const { rows, base } = tree;
    if (table.isTable(rows, base)) return table.held(rows, base, page - tree.low);
    const at = tree.begun(page);
    if (at === base || rows[at + leaf.END]! <= page) return -1;
    return rows[at + leaf.VALUE]! + (page - rows[at]!);
  }

  /** How many pages of `[start, end)` hold something. */
  count(start: number, end: number): number {
    const tree = this.#tree;
    tree.seek(start);
    const { rows, base } = tree;
    if (end <= tree.high && !table.isTable(rows, base)) {
      return leaf.count(rows, base, tree.begun(start), start, end);
    }
    const walk = this.walk(start, end);
    let pages = 0;
    while (walk?.next()) pages += walk.end - walk.start;
    return pages;
  }

  /** Goes through the runs in `[start, end)`; nothing may change meanwhile. */
  walk(start: number, end: number): TreeWalk | undefined {
    if (this.#pages === 0 || start >= end) return undefined;
    return new TreeWalk(this.#tree, start, end);
  }

  #runs(from: number, to: number): Extent[] {
    const walk = this.walk(from, to);
    const found: Extent[] = [];
    while (walk?.next()) {
      const { start, end, value } = walk;
      found.push({ start, end, value });
    }
    return found;
  }

  /** Lets the pages `[start, end)` hold `value`, `value + 1`, …; what they held is forgotten. */
  set(start: number, end: number, value: number): void {
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

  /** Forgets what the pages `[start, end)` hold; returns how many held something. */
  delete(start: number, end: number): number {
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
    const runs = this.#runs(start, end);
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
    const runs = count === 0 ? [] : this.#runs(low, Math.min(low + table.PAGES, tree.high));
    tree.drop();
    for (const { start, end, value } of runs) {
      this.#pages -= end - start;
      this.set(start, end, value);
    }
  }
}
