import type { PageRange } from './page-range.js';

/** What an index holds: a range, and a number that is unique and says who came first. */
export interface Ranged extends PageRange {
  readonly order: number;
}

/** How many entries a node has at most. */
const FULL = 32;

/**
 * Finds the items whose ranges overlap a range, in time that grows with the logarithm of how many
 * there are and with what is found.
 *
 * A B+ tree by (start, order) whose entries know how far what is below them reaches. Few levels of
 * short arrays are in few lines of memory, which is what a search among many pays for.
 */
export class RangeIndex<T extends Ranged> {
  #root = new Node<T>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const half = this.#root.add(item);
    if (half !== undefined) this.#root = Node.above(this.#root, half);
    this.#size++;
  }

  /** Removes an item that was added. */
  delete(item: T): void {
    this.#root.delete(item);
    this.#size--;
    while (this.#root.children.length === 1) this.#root = this.#root.children[0]!;
    if (this.#size === 0) this.#root = new Node();
  }

  /** The items that overlap `[start, end)`, in no particular order. */
  overlapping(start: number, end: number): T[] {
    const found: T[] = [];
    if (this.#size > 0) this.#root.collect(start, end, found);
    return found;
  }

  /** Appends those items to `found`; returns how many nodes it looked at. */
  collect(start: number, end: number, found: T[]): number {
    return this.#root.collect(start, end, found);
  }
}

/** Items, in a leaf, or nodes: sorted, with what a search wants to know of each in arrays of numbers. */
class Node<T extends Ranged> {
  /** What is below each entry begins here, or later; what is below those before it does not. */
  #starts: number[] = [];
  #orders: number[] = [];
  /** How far what is below each entry reaches. */
  #reaches: number[] = [];
  /** One of these two is empty: a leaf has items. */
  #items: T[] = [];
  children: Node<T>[] = [];

  static above<T extends Ranged>(first: Node<T>, second: Node<T>): Node<T> {
    const node = new Node<T>();
    for (const child of [first, second]) {
      node.#insert(node.children.length, child.#starts[0]!, child.#orders[0]!, child.#reach());
      node.children.push(child);
    }
    return node;
  }

  collect(start: number, end: number, found: T[]): number {
    let visits = 1;
    const starts = this.#starts;
    const reaches = this.#reaches;
    const { length } = starts;
    for (let i = 0; i < length && starts[i]! < end; i++) {
      if (reaches[i]! <= start) continue;
      if (this.children.length === 0) found.push(this.#items[i]!);
      else visits += this.children[i]!.collect(start, end, found);
    }
    return visits;
  }

  /** Answers the second half of it when it has become too large. */
  add(item: T): Node<T> | undefined {
    const { start, end, order } = item;
    const after = this.#after(start, order);
    if (this.children.length === 0) {
      this.#insert(after, start, order, end);
      insert(this.#items, after, item);
    } else {
      const at = Math.max(after - 1, 0);
      const child = this.children[at]!;
      const half = child.add(item);
      this.#starts[at] = child.#starts[0]!;
      this.#orders[at] = child.#orders[0]!;
      if (half === undefined) this.#reaches[at] = Math.max(this.#reaches[at]!, end);
      else {
        this.#reaches[at] = child.#reach();
        this.#insert(at + 1, half.#starts[0]!, half.#orders[0]!, half.#reach());
        insert(this.children, at + 1, half);
      }
    }
    return this.#starts.length > FULL ? this.#split() : undefined;
  }

  delete(item: T): void {
    const at = this.#after(item.start, item.order) - 1;
    const child = this.children[at];
    child?.delete(item);
    if (child !== undefined && child.#starts.length > 0) {
      if (item.end >= this.#reaches[at]!) this.#reaches[at] = child.#reach();
      return;
    }
    remove(this.#starts, at);
    remove(this.#orders, at);
    remove(this.#reaches, at);
    if (child === undefined) remove(this.#items, at);
    else remove(this.children, at);
  }

  /** How many entries do not come after (start, order). */
  #after(start: number, order: number): number {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const own = starts[middle]!;
      if (own > start || (own === start && this.#orders[middle]! > order)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #insert(at: number, start: number, order: number, reach: number): void {
    insert(this.#starts, at, start);
    insert(this.#orders, at, order);
    insert(this.#reaches, at, reach);
  }

  #reach(): number {
    let reach = 0;
    for (const own of this.#reaches) if (own > reach) reach = own;
    return reach;
  }

  #split(): Node<T> {
    const half = new Node<T>();
    const at = this.#starts.length >>> 1;
    half.#starts = this.#starts.splice(at);
    half.#orders = this.#orders.splice(at);
    half.#reaches = this.#reaches.splice(at);
    half.#items = this.#items.splice(at);
    half.children = this.children.splice(at);
    return half;
  }
}

/** What `splice` does, which also makes a list of what it removed. */
function insert<E>(list: E[], at: number, added: E): void {
  list.push(added);
  for (let i = list.length - 1; i > at; i--) list[i] = list[i - 1]!;
  list[at] = added;
}

/** As above. */
function remove<E>(list: E[], at: number): void {
  for (let i = at + 1; i < list.length; i++) list[i - 1] = list[i]!;
  list.pop();
}
