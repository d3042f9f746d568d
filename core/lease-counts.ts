import { SmallMap } from './small-map.js';

/** Leases of one frame that were taken alike. */
export interface LeaseState {
  readonly pfn: number;
  readonly offset: number;
  readonly order: number;
  count: number;
}

interface Counted extends LeaseState {
  /** Of the same frame, taken otherwise: its order follows from what was around it at the time. */
  next: Counted | undefined;
}

/** How many leases of which frames a registration has out. */
export class LeaseCounts implements Iterable<LeaseState> {
  readonly #byFrame = new SmallMap<Counted>();
  #size = 0;

  /** How many kinds there are; see {@link LeaseState}. */
  get size(): number {
    return this.#size;
  }

  add(pfn: number, offset: number, order: number, count = 1): void {
    let last = this.#byFrame.get(pfn);
    const lease = find(last, offset, order);
    if (lease !== undefined) {
      lease.count += count;
      return;
    }
    const added = { pfn, offset, order, count, next: undefined };
    this.#size++;
    while (last?.next !== undefined) last = last.next;
    if (last === undefined) this.#byFrame.set(pfn, added);
    else last.next = added;
  }

  /** One fewer; nothing happens when there is none. */
  remove(pfn: number, offset: number, order: number): void {
    const first = this.#byFrame.get(pfn);
    const lease = find(first, offset, order);
    if (lease === undefined || --lease.count > 0) return;
    this.#size--;
    if (lease !== first) {
      let before = first!;
      while (before.next !== lease) before = before.next!;
      before.next = lease.next;
    } else if (lease.next !== undefined) this.#byFrame.set(pfn, lease.next);
    else this.#byFrame.delete(pfn);
  }

  *[Symbol.iterator](): IterableIterator<LeaseState> {
    for (const first of this.#byFrame.values()) {
      for (let lease: Counted | undefined = first; lease !== undefined; lease = lease.next) {
        yield lease;
      }
    }
  }
}

function find(first: Counted | undefined, offset: number, order: number): Counted | undefined {
  let lease = first;
  while (lease !== undefined && (lease.offset !== offset || lease.order !== order)) {
    lease = lease.next;
  }
  return lease;
}
