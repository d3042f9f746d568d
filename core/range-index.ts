import type { PageRange } from './page-range.js';

/** What an index holds: a range, and a number that is unique and says who came first. */
export interface Ranged extends PageRange {
  readonly order: number;
}

/** How many entries a node has at most. */
const FULL = 32;

/** So many nodes are kept, however few entries there are. */
const FEW_NODES = 16;

/** No node. */
const NONE = -1;

/** Before there is a node. */
const NO_NUMBERS = new Float64Array(0);

/**
 * Finds the items whose ranges overlap a range, in time that grows with the logarithm of how many
 * there are and with what is found.
 *
 * A B+ tree by (start, order) whose entries know how far what is below them reaches. The entries of
 * all nodes lie in few large arrays, those of node n from n * FULL on: what a search among many pays
 * for is how many places in memory it looks at. Those of a leaf are in no order, so that nothing has
 * to be moved when one comes or goes.
 */
export class RangeIndex<T extends Ranged> {
  /** In a leaf, of its items; in a branch, what is below an entry is not before this. */
  #starts: Float64Array = NO_NUMBERS;
  #orders: Float64Array = NO_NUMBERS;
  #reaches: Float64Array = NO_NUMBERS;
  /** The items of leaves, and the nodes that are below branches. */
  readonly #items: (T | undefined)[] = [];
  readonly #below: number[] = [];
  /** How many entries each node has. */
  readonly #counts: number[] = [];
  readonly #unused: number[] = [];
  #root = NONE;
  /** How many levels of branches there are. */
  #height = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    if (this.#size++ === 0) this.#root = this.#newNode();
    const low = this.#root;
    const high = this.#add(low, this.#height, item);
    if (high === NONE) return;
    const root = this.#newNode();
    this.#link(root, 0, low, -Infinity, -Infinity);
    this.#link(root, 1, high, this.#starts[high * FULL]!, this.#orders[high * FULL]!);
    this.#counts[root] = 2;
    this.#root = root;
    this.#height++;
  }

  /**
   * Removes an item that was added.
   *
   * @throws RangeError when it is not there; nothing has changed then.
   */
  delete(item: T): void {
    this.#delete(this.#root, this.#height, item);
    this.#size--;
    while (this.#height > 0 && this.#counts[this.#root] === 1) {
      this.#unused.push(this.#root);
      this.#root = this.#below[this.#root * FULL]!;
      this.#height--;
    }
    const nodes = this.#counts.length;
    if (nodes > FEW_NODES && this.#size < nodes) this.#buildAnew();
    else if (this.#size === 0) {
      this.#unused.push(this.#root);
      this.#height = 0;
    }
  }

  /** Gives the memory back that was needed for many more. */
  #buildAnew(): void {
    const items = this.overlapping(0, Infinity);
    this.#starts = this.#orders = this.#reaches = NO_NUMBERS;
    this.#items.length = this.#below.length = 0;
    this.#counts.length = this.#unused.length = 0;
    this.#height = this.#size = 0;
    for (const item of items) this.add(item);
  }

  /** The items that overlap `[start, end)`, in no particular order. */
  overlapping(start: number, end: number): T[] {
    const found: T[] = [];
    this.collect(start, end, found);
    return found;
  }

  /** Appends those items to `found`; returns how many nodes it looked at. */
  collect(start: number, end: number, found: T[]): number {
    return this.#size === 0 ? 0 : this.#collect(this.#root, this.#height, start, end, found);
  }

  #collect(node: number, height: number, start: number, end: number, found: T[]): number {
    const starts = this.#starts;
    const reaches = this.#reaches;
    const base = node * FULL;
    const stop = base + this.#counts[node]!;
    if (height === 0) {
      for (let at = base; at < stop; at++) {
        if (reaches[at]! > start && starts[at]! < end) found.push(this.#items[at]!);
      }
      return 1;
    }
    let visits = 1;
    for (let at = base; at < stop && starts[at]! < end; at++) {
      if (reaches[at]! > start) {
        visits += this.#collect(this.#below[at]!, height - 1, start, end, found);
      }
    }
    return visits;
  }

  /** Answers the second half of the node when it was too small; its first entry is its least. */
  #add(node: number, height: number, item: T): number {
    if (height === 0) return this.#addToLeaf(node, item);
    const at = this.#entryOf(node, item);
    const child = this.#below[at]!;
    const half = this.#add(child, height - 1, item);
    // Only what comes before all others.
    if (item.start < this.#starts[at]!) this.#starts[at] = item.start;
    if (half === NONE) {
      if (item.end > this.#reaches[at]!) this.#reaches[at] = item.end;
      return NONE;
    }
    this.#reaches[at] = this.#reachOf(child);
    return this.#addToBranch(node, at + 1, half);
  }

  #addToLeaf(leaf: number, item: T): number {
    if (this.#counts[leaf]! < FULL) {
      this.#put(leaf, item);
      return NONE;
    }
    const base = leaf * FULL;
    const items = this.#items.slice(base, base + FULL) as T[];
    items.sort((a, b) => a.start - b.start || a.order - b.order);
    const half = this.#newNode();
    this.#counts[leaf] = 0;
    for (const [i, other] of items.entries()) this.#put(i < FULL / 2 ? leaf : half, other);
    this.#items.fill(undefined, base + FULL / 2, base + FULL);
    this.#put(this.#isBefore(half * FULL, item) ? half : leaf, item);
    return half;
  }

  #put(leaf: number, item: T): void {
    const at = leaf * FULL + this.#counts[leaf]!++;
    this.#starts[at] = item.start;
    this.#orders[at] = item.order;
    this.#reaches[at] = item.end;
    this.#items[at] = item;
  }

  #addToBranch(branch: number, at: number, child: number): number {
    const start = this.#starts[child * FULL]!;
    const order = this.#orders[child * FULL]!;
    const count = this.#counts[branch]!;
    if (count < FULL) {
      this.#shift(at, branch * FULL + count, 1);
      this.#link(branch, at - branch * FULL, child, start, order);
      this.#counts[branch] = count + 1;
      return NONE;
    }
    const half = this.#newNode();
    const kept = FULL / 2;
    const from = branch * FULL + kept;
    for (let i = 0; i < kept; i++) this.#move(from + i, half * FULL + i);
    this.#counts[branch] = kept;
    this.#counts[half] = kept;
    if (at > from) this.#addToBranch(half, half * FULL + (at - from), child);
    else this.#addToBranch(branch, at, child);
    return half;
  }

  #delete(node: number, height: number, item: T): void {
    if (height === 0) {
      this.#deleteFromLeaf(node, item);
      return;
    }
    const at = this.#entryOf(node, item);
    const child = this.#below[at]!;
    this.#delete(child, height - 1, item);
    if (this.#counts[child]! > 0) {
      if (item.end >= this.#reaches[at]!) this.#reaches[at] = this.#reachOf(child);
      return;
    }
    this.#unused.push(child);
    this.#shift(at + 1, node * FULL + this.#counts[node]!--, -1);
  }

  #deleteFromLeaf(leaf: number, item: T): void {
    const base = leaf * FULL;
    const last = base + (this.#counts[leaf] ?? 0) - 1; // There may have been no leaf yet.
    let at = base;
    while (at <= last && this.#orders[at] !== item.order) at++;
    if (at > last) throw new RangeError(`there is no item ${item.order} at ${item.start}`);
    this.#starts[at] = this.#starts[last]!;
    this.#orders[at] = this.#orders[last]!;
    this.#reaches[at] = this.#reaches[last]!;
    this.#items[at] = this.#items[last];
    this.#items[last] = undefined;
    this.#counts[leaf]!--;
  }

  /** Where in a branch the item is below, or belongs. */
  #entryOf(branch: number, item: T): number {
    const base = branch * FULL;
    let low = base + 1;
    let high = base + this.#counts[branch]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBefore(middle, item)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Whether the (start, order) of an entry is that of the item, or before it. */
  #isBefore(at: number, { start, order }: T): boolean {
    const own = this.#starts[at]!;
    return own < start || (own === start && this.#orders[at]! <= order);
  }

  #reachOf(node: number): number {
    const reaches = this.#reaches;
    const base = node * FULL;
    const stop = base + this.#counts[node]!;
    let reach = 0;
    for (let at = base; at < stop; at++) if (reaches[at]! > reach) reach = reaches[at]!;
    return reach;
  }

  #link(branch: number, entry: number, child: number, start: number, order: number): void {
    const at = branch * FULL + entry;
    this.#starts[at] = start;
    this.#orders[at] = order;
    this.#reaches[at] = this.#reachOf(child);
    this.#below[at] = child;
  }

  /** Moves the entries `[from, to)` of a branch by one. */
  #shift(from: number, to: number, by: 1 | -1): void {
    if (by > 0) for (let at = to - 1; at >= from; at--) this.#move(at, at + 1);
    else for (let at = from; at < to; at++) this.#move(at, at - 1);
  }

  #move(from: number, to: number): void {
    this.#starts[to] = this.#starts[from]!;
    this.#orders[to] = this.#orders[from]!;
    this.#reaches[to] = this.#reaches[from]!;
    this.#below[to] = this.#below[from]!;
  }

  #newNode(): number {
    const node = this.#unused.pop() ?? this.#counts.length;
    this.#counts[node] = 0;
    const end = (node + 1) * FULL;
    if (end <= this.#starts.length) return node;
    this.#starts = longer(this.#starts);
    this.#orders = longer(this.#orders);
    this.#reaches = longer(this.#reaches);
    while (this.#items.length < this.#starts.length) {
      this.#items.push(undefined);
      this.#below.push(NONE);
    }
    return node;
  }
}

function longer(numbers: Float64Array): Float64Array {
  const more = new Float64Array(Math.max(FULL, numbers.length * 2));
  more.set(numbers);
  return more;
}
