import type { PageRange } from './page-range.js';

/** What an index holds: a range, and a number that is unique and says who came first. */
export interface Ranged {
  readonly range: PageRange;
  readonly order: number;
}

interface Node<T> {
  readonly item: T;
  readonly start: number;
  readonly end: number;
  readonly order: number;
  readonly priority: number;
  /** The largest end below and including this node. */
  limit: number;
  left: Node<T> | undefined;
  right: Node<T> | undefined;
}

/**
 * Finds the items whose ranges overlap a range, in time that grows with their number.
 *
 * A treap by (start, order), each node knowing how far its subtree reaches. Priorities are hashed
 * from the order, so that the same calls build the same tree.
 */
export class RangeIndex<T extends Ranged> {
  #root: Node<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const { range, order } = item;
    this.#root = insert(this.#root, {
      item,
      start: range.start,
      end: range.end,
      order,
      priority: Math.imul(order ^ (order >>> 15), 0x9e3779b1) >>> 0,
      limit: range.end,
      left: undefined,
      right: undefined,
    });
    this.#size++;
  }

  /** Removes an item that was added. */
  delete(item: T): void {
    this.#root = remove(this.#root, item.range.start, item.order);
    this.#size--;
  }

  /** Appends to `found` the items that overlap `[start, end)`, in no particular order. */
  collect(start: number, end: number, found: T[]): void {
    visit(this.#root, start, end, found);
  }
}

function visit<T>(node: Node<T> | undefined, start: number, end: number, found: T[]): void {
  while (node !== undefined && node.limit > start) {
    if (node.start < end) {
      if (node.end > start) found.push(node.item);
      visit(node.right, start, end, found);
    }
    node = node.left;
  }
}

function before<T>(node: Node<T>, start: number, order: number): boolean {
  return node.start < start || (node.start === start && node.order < order);
}

function insert<T>(root: Node<T> | undefined, node: Node<T>): Node<T> {
  if (root === undefined) return node;
  if (node.priority > root.priority) {
    [node.left, node.right] = split(root, node.start, node.order);
    return reach(node);
  }
  if (before(root, node.start, node.order)) root.right = insert(root.right, node);
  else root.left = insert(root.left, node);
  return reach(root);
}

function remove<T>(root: Node<T> | undefined, start: number, order: number): Node<T> | undefined {
  if (root === undefined) return undefined;
  if (root.order === order) return merge(root.left, root.right);
  if (before(root, start, order)) root.right = remove(root.right, start, order);
  else root.left = remove(root.left, start, order);
  return reach(root);
}

type Halves<T> = [Node<T> | undefined, Node<T> | undefined];

function split<T>(root: Node<T> | undefined, start: number, order: number): Halves<T> {
  if (root === undefined) return [undefined, undefined];
  if (before(root, start, order)) {
    const [left, right] = split(root.right, start, order);
    root.right = left;
    return [reach(root), right];
  }
  const [left, right] = split(root.left, start, order);
  root.left = right;
  return [left, reach(root)];
}

function merge<T>(left: Node<T> | undefined, right: Node<T> | undefined): Node<T> | undefined {
  if (left === undefined) return right;
  if (right === undefined) return left;
  if (left.priority > right.priority) {
    left.right = merge(left.right, right);
    return reach(left);
  }
  right.left = merge(left, right.left);
  return reach(right);
}

function reach<T>(node: Node<T>): Node<T> {
  node.limit = Math.max(node.end, node.left?.limit ?? 0, node.right?.limit ?? 0);
  return node;
}
