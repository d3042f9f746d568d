import type { PageRange } from './page-range.js';

/** What an index holds: a range, and a number that is unique and says who came first. */
export interface Ranged {
  readonly range: PageRange;
  readonly order: number;
}

/** No node; the row of it stays empty. */
const NONE = 0;

/**
 * Finds the items whose ranges overlap a range, in time that grows with their number.
 *
 * A treap by (start, order), each node knowing how far its subtree reaches. Priorities are hashed
 * from the nodes' numbers, so that the same calls build the same tree. Nodes are rows of 32 bytes,
 * as a search touches many: start, end and limit as doubles, then left and right as words.
 */
export class RangeIndex<T extends Ranged> {
  #doubles = new Float64Array(0);
  #words = new Int32Array(0);
  /** By node. */
  readonly #items: (T | undefined)[] = [undefined];
  /** Nodes that are not in use, by their left links. */
  #free = NONE;
  #root = NONE;
  #size = 0;
  /** The nodes that the last search found; as many as are in the tree have room. */
  #hit = new Int32Array(0);
  #hits = 0;
  /** What the last `split` answered. */
  #left = NONE;
  #right = NONE;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const node = this.#newNode(item);
    const { order, range } = item;
    const doubles = this.#doubles;
    const words = this.#words;
    let link = -1;
    let root = this.#root;
    while (root !== NONE && priority(root) >= priority(node)) {
      if (doubles[root * 4 + 2]! < range.end) doubles[root * 4 + 2] = range.end;
      link = root * 8 + (this.#before(root, range.start, order) ? 7 : 6);
      root = words[link]!;
    }
    this.#split(root, range.start, order);
    words[node * 8 + 6] = this.#left;
    words[node * 8 + 7] = this.#right;
    this.#reach(node);
    if (link < 0) this.#root = node;
    else words[link] = node;
    this.#size++;
  }

  /** Removes an item that was added. */
  delete(item: T): void {
    this.#root = this.#remove(this.#root, item);
    this.#size--;
  }

  /** The items that overlap `[start, end)`, in no particular order. */
  overlapping(start: number, end: number): T[] {
    this.#hits = 0;
    this.#visit(this.#root, start, end);
    // Made for as many as there are: an array that grows takes room for sixteen more.
    // oxlint-disable-next-line unicorn/no-new-array
    const found = new Array<T>(this.#hits);
    for (let i = 0; i < found.length; i++) found[i] = this.#items[this.#hit[i]!]!;
    return found;
  }

  /** Appends those items to `found`; returns how many nodes it looked at. */
  collect(start: number, end: number, found: T[]): number {
    this.#hits = 0;
    const visits = this.#visit(this.#root, start, end);
    for (let i = 0; i < this.#hits; i++) found.push(this.#items[this.#hit[i]!]!);
    return visits;
  }

  #visit(node: number, start: number, end: number): number {
    let visits = 1;
    const doubles = this.#doubles;
    const words = this.#words;
    while (node !== NONE && doubles[node * 4 + 2]! > start) {
      if (doubles[node * 4]! < end) {
        if (doubles[node * 4 + 1]! > start) this.#hit[this.#hits++] = node;
        const right = words[node * 8 + 7]!;
        if (right !== NONE) visits += this.#visit(right, start, end);
      }
      node = words[node * 8 + 6]!;
      visits++;
    }
    return visits;
  }

  #before(node: number, start: number, order: number): boolean {
    const own = this.#doubles[node * 4]!;
    return own < start || (own === start && this.#items[node]!.order < order);
  }

  #remove(root: number, item: T): number {
    if (root === NONE) return NONE;
    const words = this.#words;
    const { start, end } = item.range;
    if (this.#doubles[root * 4] === start && this.#items[root] === item) {
      const merged = this.#merge(words[root * 8 + 6]!, words[root * 8 + 7]!);
      this.#items[root] = undefined;
      words[root * 8 + 6] = this.#free;
      this.#free = root;
      return merged;
    }
    const side = this.#before(root, start, item.order) ? 7 : 6;
    words[root * 8 + side] = this.#remove(words[root * 8 + side]!, item);
    // Who reaches further than the item did does so without it.
    return this.#doubles[root * 4 + 2]! > end ? root : this.#reach(root);
  }

  /** Into those before and those after, which are left in two fields. */
  #split(root: number, start: number, order: number): void {
    if (root === NONE) {
      this.#left = this.#right = NONE;
      return;
    }
    const words = this.#words;
    if (this.#before(root, start, order)) {
      this.#split(words[root * 8 + 7]!, start, order);
      words[root * 8 + 7] = this.#left;
      this.#left = this.#reach(root);
    } else {
      this.#split(words[root * 8 + 6]!, start, order);
      words[root * 8 + 6] = this.#right;
      this.#right = this.#reach(root);
    }
  }

  #merge(left: number, right: number): number {
    if (left === NONE) return right;
    if (right === NONE) return left;
    const words = this.#words;
    if (priority(left) > priority(right)) {
      words[left * 8 + 7] = this.#merge(words[left * 8 + 7]!, right);
      return this.#reach(left);
    }
    words[right * 8 + 6] = this.#merge(left, words[right * 8 + 6]!);
    return this.#reach(right);
  }

  #reach(node: number): number {
    const doubles = this.#doubles;
    const left = doubles[this.#words[node * 8 + 6]! * 4 + 2]!;
    const right = doubles[this.#words[node * 8 + 7]! * 4 + 2]!;
    let limit = doubles[node * 4 + 1]!;
    if (left > limit) limit = left;
    if (right > limit) limit = right;
    doubles[node * 4 + 2] = limit;
    return node;
  }

  #newNode(item: T): number {
    let node = this.#free;
    if (node === NONE) {
      node = this.#items.push(item) - 1;
      if ((node + 1) * 4 > this.#doubles.length) this.#grow(Math.max(16, node * 2));
    } else {
      this.#free = this.#words[node * 8 + 6]!;
      this.#items[node] = item;
    }
    const { start, end } = item.range;
    this.#doubles[node * 4] = start;
    this.#doubles[node * 4 + 1] = this.#doubles[node * 4 + 2] = end;
    this.#words[node * 8 + 6] = this.#words[node * 8 + 7] = NONE;
    return node;
  }

  #grow(nodes: number): void {
    const doubles = new Float64Array(nodes * 4);
    doubles.set(this.#doubles);
    this.#doubles = doubles;
    this.#words = new Int32Array(doubles.buffer);
    this.#hit = new Int32Array(nodes);
  }
}

function priority(node: number): number {
  return Math.imul(node ^ (node >>> 15), 0x9e3779b1) >>> 0;
}
