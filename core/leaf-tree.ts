import { begun, below, clear, isNarrow, LEAF, nowhere, RUNS, type Rows } from './extent-leaf.js';

/** How many leaves one array has. */
const TOGETHER_BITS = 6;
const TOGETHER = 1 << TOGETHER_BITS;

/** How many leaves a branch has at most; its numbers take one place more. */
const FAN = 127;
const BRANCH = FAN + 1;

/** What is read before there is a leaf. */
const NO_RUNS = new Int32Array(LEAF);
clear(NO_RUNS, 0);

/**
 * Leaves in the order of their pages: a tree of three levels, each in few large arrays. One leaf is
 * at hand: the one sought last, as whoever reads a page often writes it next. A leaf has the pages
 * from where it begins up to the next one; the first begins before every page and is always there,
 * once any is.
 */
export class LeafTree {
  /** The array that the leaf at hand lies in, and where. */
  rows: Rows = NO_RUNS;
  base = 0;
  /** Where the leaf at hand begins, and where the next one does; no page is between at first. */
  low = 0;
  high = 0;
  /** The run that was found last in it, or will be next: only a guess. */
  found = 0;
  /** Where the leaf at hand is: in which branch of all, and where its numbers are. */
  #index = 0;
  #at = 0;

  #isNarrow = true;
  /** The branches in order: where each begins, and where its numbers are. */
  readonly #begins: number[] = [];
  readonly #branches: number[] = [];
  /** Of every branch, from place 1 on, where its leaves begin. */
  #lows: Rows = NO_RUNS;
  /** Of every branch how many leaves it has, then which. */
  #leaves: Int32Array = NO_RUNS;
  readonly #unusedBranches: number[] = [];
  readonly #arrays: Rows[] = [];
  #count = 0;
  readonly #unused: number[] = [];

  /** Takes the leaf that has `page` to hand. */
  seek(page: number): void {
    if (page < this.low || page >= this.high) this.#search(page);
  }

  /** The last run of the leaf at hand that begins at `page` or before; its base when none does. */
  begun(page: number): number {
    const { rows } = this;
    const found = this.found;
    // Whatever is there now: no other place can be between such numbers.
    if (rows[found]! <= page && page < rows[found + 1]!) return found;
    return (this.found = begun(rows, this.base, page));
  }

  #search(page: number): void {
    const begins = this.#begins;
    if (begins.length === 0) return;
    let index = 0;
    for (let left = begins.length; left > 1;) {
      const half = left >>> 1;
      index += half * Number(begins[index + half]! <= page);
      left -= half;
    }
    this.#take(index, last(this.#lows, this.#branches[index]!, page));
  }

  /** Makes the first leaf. */
  begin(): void {
    this.#addBranch(0, -1);
    this.#put(0, this.#branches[0]! + 1, -1, this.#newLeaf());
  }

  get isEmpty(): boolean {
    return this.#begins.length === 0;
  }

  /** Whether it is worth it to begin anew when there is nothing left. */
  get isLarge(): boolean {
    return this.#arrays.length > 1;
  }

  get isFirst(): boolean {
    return this.low < 0;
  }

  /** Takes the last leaf to hand. */
  seekLast(): void {
    if (this.high === Infinity) return;
    const index = this.#begins.length - 1;
    this.#take(index, this.#last(index));
  }

  /** Takes the next leaf to hand; there is one. */
  next(): void {
    const index = this.#index;
    if (this.#at < this.#last(index)) this.#take(index, this.#at + 1);
    else this.#take(index + 1, this.#branches[index + 1]! + 1);
  }

  /** Takes the leaf before to hand; there is one. */
  previous(): void {
    const index = this.#index;
    if (this.#at > this.#branches[index]! + 1) this.#take(index, this.#at - 1);
    else this.#take(index - 1, this.#last(index - 1));
  }

  /** Adds a leaf without runs behind the one at hand, from `low` on, and takes it to hand. */
  add(low: number): void {
    const leaf = this.#newLeaf();
    let index = this.#index;
    let slot = this.#at + 1 - this.#branches[index]!;
    if (this.#leaves[this.#branches[index]!] === FAN) {
      // Pages that come in order leave full branches behind them.
      const atEnd = slot > FAN && index === this.#begins.length - 1;
      const kept = atEnd ? FAN : FAN >>> 1;
      this.#split(index, kept, low);
      if (slot > kept) {
        index++;
        slot -= kept;
      }
    }
    this.#put(index, this.#branches[index]! + slot, low, leaf);
  }

  /** Drops the leaf at hand, which is not the first, and takes the one before to hand. */
  drop(): void {
    const index = this.#index;
    const at = this.#at;
    const branch = this.#branches[index]!;
    const last = this.#last(index);
    const lows = this.#lows;
    const leaves = this.#leaves;
    this.previous();
    this.#unused.push(leaves[at]!);
    leaves.copyWithin(at, at + 1, last + 1);
    lows.copyWithin(at, at + 1, last + 1);
    lows[last] = nowhere(lows);
    leaves[branch]!--;
    if (last === branch + 1) {
      this.#unusedBranches.push(branch);
      this.#branches.splice(index, 1);
      this.#begins.splice(index, 1);
    } else if (at === branch + 1) this.#begins[index] = lows[at]!;
    this.#take(this.#index, this.#at); // The next one begins elsewhere.
  }

  /** The leaf at hand, which is not the first, begins at `low` from now on. */
  beginAt(low: number): void {
    this.#lows[this.#at] = low;
    if (this.#at === this.#branches[this.#index]! + 1) this.#begins[this.#index] = low;
    this.low = low;
  }

  /** Makes room for the numbers of such a run. */
  fit(start: number, end: number, value: number): void {
    if (this.#isNarrow && !isNarrow(start, end, value)) this.#widen();
  }

  #widen(): void {
    this.#isNarrow = false;
    const lows = Float64Array.from(this.#lows);
    for (const branch of this.#branches) {
      lows.fill(Infinity, branch + this.#leaves[branch]! + 1, branch + BRANCH);
    }
    this.#lows = lows;
    for (const [i, narrow] of this.#arrays.entries()) {
      const rows = Float64Array.from(narrow);
      for (let base = 0; base < rows.length; base += LEAF) {
        if (rows[base]! >= 0) rows.fill(Infinity, base + 1 + rows[base]!, base + 1 + RUNS);
      }
      this.#arrays[i] = rows;
    }
    if (!this.isEmpty) this.#take(this.#index, this.#at);
  }

  /** Where the last leaf of a branch is. */
  #last(index: number): number {
    const branch = this.#branches[index]!;
    return branch + this.#leaves[branch]!;
  }

  #take(index: number, at: number): void {
    const lows = this.#lows;
    const leaf = this.#leaves[at]!;
    this.#index = index;
    this.#at = at;
    this.low = lows[at]!;
    if (at < this.#last(index)) this.high = lows[at + 1]!;
    else this.high = index + 1 < this.#begins.length ? this.#begins[index + 1]! : Infinity;
    this.rows = this.#arrays[leaf >>> TOGETHER_BITS]!;
    this.found = this.base = (leaf & (TOGETHER - 1)) * LEAF;
  }

  /** Puts a leaf in a branch that has room for it, and takes it to hand. */
  #put(index: number, at: number, low: number, leaf: number): void {
    const leaves = this.#leaves;
    const branch = this.#branches[index]!;
    const end = this.#last(index) + 1;
    leaves.copyWithin(at + 1, at, end);
    this.#lows.copyWithin(at + 1, at, end);
    leaves[at] = leaf;
    this.#lows[at] = low;
    leaves[branch]!++;
    if (at === branch + 1) this.#begins[index] = low;
    this.#take(index, at);
  }

  /** Moves the leaves of a branch behind its first `kept` into one of their own. */
  #split(index: number, kept: number, low: number): void {
    const branch = this.#branches[index]!;
    const from = branch + kept + 1;
    this.#addBranch(index + 1, kept < FAN ? this.#lows[from]! : low);
    const other = this.#branches[index + 1]!;
    const lows = this.#lows;
    lows.copyWithin(other + 1, from, branch + BRANCH);
    lows.fill(nowhere(lows), from, branch + BRANCH);
    this.#leaves.copyWithin(other + 1, from, branch + BRANCH);
    this.#leaves[branch] = kept;
    this.#leaves[other] = FAN - kept;
  }

  /** Adds a branch that has no leaves yet. */
  #addBranch(index: number, begin: number): void {
    let branch = this.#unusedBranches.pop();
    if (branch === undefined) {
      branch = this.#branches.length * BRANCH;
      if (branch >= this.#leaves.length || branch === 0) {
        const more = Math.max(1, this.#branches.length >>> 2) * BRANCH;
        const lows = this.#newRows(branch + more);
        const leaves = new Int32Array(lows.length);
        if (branch > 0) {
          lows.set(this.#lows);
          leaves.set(this.#leaves);
        }
        this.#lows = lows;
        this.#leaves = leaves;
      }
    }
    this.#lows.fill(nowhere(this.#lows), branch, branch + BRANCH);
    this.#leaves[branch] = 0;
    this.#branches.splice(index, 0, branch);
    this.#begins.splice(index, 0, begin);
  }

  #newLeaf(): number {
    const leaf = this.#unused.pop() ?? this.#count++;
    const index = leaf >>> TOGETHER_BITS;
    const base = (leaf & (TOGETHER - 1)) * LEAF;
    const there = this.#arrays[index];
    if (there === undefined) this.#arrays.push(this.#newRows((index === 0 ? 1 : TOGETHER) * LEAF));
    else if (base >= there.length) {
      const larger = this.#newRows(there.length * 2);
      larger.set(there);
      this.#arrays[index] = larger;
    }
    clear(this.#arrays[index]!, base);
    return leaf;
  }

  #newRows(length: number): Rows {
    return this.#isNarrow ? new Int32Array(length) : new Float64Array(length);
  }
}

/** The last place of a branch, from 1 on, whose number is not more than `page`. */
function last(lows: Rows, branch: number, page: number): number {
  let at = branch;
  at += 32 * below(lows, at, 32, page);
  at += 8 * below(lows, at, 8, page);
  at += 2 * below(lows, at, 2, page);
  return at + Number(lows[at + 1]! <= page);
}
