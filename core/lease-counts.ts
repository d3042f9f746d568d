import type { Extents } from './extents.js';
import { countPages, type PageRange } from './page-range.js';
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
  /** From the first one on: most consumers look nothing up. */
  #byFrame: SmallMap<Counted> | undefined;
  #size = 0;
  /** How many of them are of more than a page. */
  #large = 0;

  /** How many kinds there are; see {@link LeaseState}. */
  get size(): number {
    return this.#size;
  }

  add(pfn: number, offset: number, order: number, count = 1): void {
    const byFrame = (this.#byFrame ??= new SmallMap());
    let last = byFrame.get(pfn);
    const lease = find(last, offset, order);
    if (lease !== undefined) {
      lease.count += count;
      return;
    }
    const added = { pfn, offset, order, count, next: undefined };
    this.#size++;
    if (order > 0) this.#large++;
    while (last?.next !== undefined) last = last.next;
    if (last === undefined) byFrame.set(pfn, added);
    else last.next = added;
  }

  /** One fewer; nothing happens when there is none. */
  remove(pfn: number, offset: number, order: number): void {
    const byFrame = this.#byFrame;
    const first = byFrame?.get(pfn);
    const lease = find(first, offset, order);
    if (lease === undefined || --lease.count > 0) return;
    this.#size--;
    if (order > 0) this.#large--;
    if (lease !== first) {
      let before = first!;
      while (before.next !== lease) before = before.next!;
      before.next = lease.next;
    } else if (lease.next !== undefined) byFrame!.set(pfn, lease.next);
    else byFrame!.delete(pfn);
  }

  /** Those that can be of one of these pages: of a few pages, only what their frames have. */
  *near(pages: readonly PageRange[], frames: Extents): Iterable<LeaseState> {
    if (this.#large > 0 || countPages(pages) > this.#size) yield* this;
    else {
      for (const { start, end } of pages) {
        for (let page = start; page < end; page++)
          yield* chain(this.#byFrame?.get(frames.get(page)));
      }
    }
  }

  *[Symbol.iterator](): IterableIterator<LeaseState> {
    for (const first of this.#byFrame?.values() ?? []) yield* chain(first);
  }
}

function* chain(first: Counted | undefined): IterableIterator<LeaseState> {
  for (let lease = first; lease !== undefined; lease = lease.next) yield lease;
}

function find(first: Counted | undefined, offset: number, order: number): Counted | undefined {
  let lease = first;
  while (lease !== undefined && (lease.offset !== offset || lease.order !== order)) {
    lease = lease.next;
  }
  return lease;
}
