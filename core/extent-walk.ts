import { END, VALUE } from './extent-leaf.js';
import { isTable, nextHeld, PAGES, runEnd } from './extent-table.js';
import type { LeafTree } from './leaf-tree.js';

/** Goes from run to run; nothing may change meanwhile. */
export interface ExtentWalk {
  readonly start: number;
  readonly end: number;
  readonly value: number;
  /** Goes to the next run, if there is one. */
  next(): boolean;
}

/**
 * Goes through the runs that lie in pages `[from, to)`, clipped to it and in order; nothing may
 * change meanwhile. A run that crosses from one leaf to the next may be told in two.
 */
export class TreeWalk implements ExtentWalk {
  start = 0;
  end = 0;
  value = 0;
  readonly #tree: LeafTree;
  readonly #from: number;
  readonly #to: number;
  /** The run to come, or the page of a table to go on at. */
  #at: number;

  constructor(tree: LeafTree, from: number, to: number) {
    this.#tree = tree;
    this.#from = from;
    this.#to = to;
    tree.seek(from);
    const { rows, base } = tree;
    if (isTable(rows, base)) this.#at = from - tree.low;
    else {
      const at = tree.begun(from);
      this.#at = at > base && rows[at + END]! > from ? at : at + 1;
    }
  }

  /** Goes to the next run, if there is one. */
  next(): boolean {
    const tree = this.#tree;
    for (;;) {
      const { rows, base, low } = tree;
      if (isTable(rows, base)) {
        const page = nextHeld(rows, base, this.#at);
        if (page < PAGES) {
          this.#at = runEnd(rows, base, page);
          return this.#tell(low + page, low + this.#at, rows[base + 1 + page]!);
        }
      } else {
        const at = this.#at++;
        if (at <= base + rows[base]!) {
          return this.#tell(rows[at]!, rows[at + END]!, rows[at + VALUE]!);
        }
      }
      if (tree.high >= this.#to) return false;
      tree.next();
      this.#at = isTable(tree.rows, tree.base) ? 0 : tree.base + 1;
    }
  }

  #tell(start: number, end: number, value: number): boolean {
    if (start >= this.#to) return false;
    this.start = start < this.#from ? this.#from : start;
    this.end = end > this.#to ? this.#to : end;
    this.value = value + (this.start - start);
    return true;
  }
}
