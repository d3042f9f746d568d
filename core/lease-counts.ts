import type { Extents } from './extents.js';
import { countPages, type PageRange } from './page-range.js';
import { SmallMap } from './small-map.js';

/** Leases of one frame that were taken alike. */
export interface LeaseState {
  readonly pfn: number;
  readonly offset: number;
  readonly order: number;
  readonly count: number;
}

interface Counted {
  pfn: number;
  offset: number;
  order: number;
  count: number;
  /** Of the same frame, taken otherwise: its order follows from what was around it at the time. */
  next: Counted | undefined;
}

/** How many leases of which frames a registration has out. */
export class LeaseCounts implements Iterable<LeaseState> {
  /** Of those who never took any, as most do not. */
  static readonly none = new LeaseCounts();

  /** Of the first one when there was no other: a consumer that maps puts it before it takes more. */
  #only: Counted | undefined;
  /** What is in its place when there is none, to be used again. */
  #unused: Counted | undefined;
  /** The others, all of which are younger. */
  #byFrame: SmallMap<Counted> | undefined;
  #size = 0;
  /** How many of them are of more than a page. */
  #large = 0;

  /** How many kinds there are; see {@link LeaseState}. */
  get size(): number {
    return this.#size;
  }

  add(pfn: number, offset: number, order: number, count = 1): void {
    if (this.#size > 0) {
      this.#addAmong(pfn, offset, order, count);
      return;
    }
    this.#size = 1;
    if (order > 0) this.#large = 1;
    this.#only = filled(this.#unused, pfn, offset, order, count);
  }

  #addAmong(pfn: number, offset: number, order: number, count: number): void {
    const first = this.#first(pfn);
    const lease = find(first, offset, order);
    if (lease !== undefined) {
      lease.count += count;
      return;
    }
    if (order > 0) this.#large++;
    this.#size++;
    const added = { pfn, offset, order, count, next: undefined };
    if (first === undefined) (this.#byFrame ??= new SmallMap()).set(pfn, added);
    else lastOf(first).next = added;
  }

  /** One fewer; nothing happens when there is none. */
  remove(pfn: number, offset: number, order: number): void {
    const only = this.#only;
    if (
      this.#size !== 1 ||
      only === undefined ||
      only.count > 1 ||
      !isOf(only, pfn, offset, order)
    ) {
      this.#removeOther(pfn, offset, order);
      return;
    }
    this.#size = 0;
    this.#large = 0;
    this.#unused = only;
    this.#only = undefined;
  }

  #removeOther(pfn: number, offset: number, order: number): void {
    const first = this.#first(pfn);
    const lease = find(first, offset, order);
    if (lease === undefined || --lease.count > 0) return;
    this.#size--;
    if (order > 0) this.#large--;
    if (lease !== first) {
      let before = first!;
      while (before.next !== lease) before = before.next!;
      before.next = lease.next;
    } else if (lease === this.#only) {
      this.#only = lease.next;
      this.#unused = lease;
      lease.next = undefined;
    } else if (lease.next !== undefined) this.#byFrame!.set(pfn, lease.next);
    else this.#byFrame!.delete(pfn);
  }

  /** The oldest of a frame. */
  #first(pfn: number): Counted | undefined {
    const only = this.#only;
    return only !== undefined && only.pfn === pfn ? only : this.#byFrame?.get(pfn);
  }

  /** Those that can be of one of these pages: of a few pages, only what their frames have. */
  *near(pages: readonly PageRange[], frames: Extents): Iterable<LeaseState> {
    if (this.#large > 0 || countPages(pages) > this.#size) yield* this;
    else {
      for (const { start, end } of pages) {
        for (let page = start; page < end; page++) yield* chain(this.#first(frames.get(page)));
      }
    }
  }

  *[Symbol.iterator](): IterableIterator<LeaseState> {
    yield* chain(this.#only);
    for (const first of this.#byFrame?.values() ?? []) yield* chain(first);
  }
}

function* chain(first: Counted | undefined): IterableIterator<LeaseState> {
  for (let lease = first; lease !== undefined; lease = lease.next) yield lease;
}

function isOf(lease: Counted, pfn: number, offset: number, order: number): boolean {
  return lease.pfn === pfn && lease.offset === offset && lease.order === order;
}

function find(first: Counted | undefined, offset: number, order: number): Counted | undefined {
  let lease = first;
  while (lease !== undefined && (lease.offset !== offset || lease.order !== order)) {
    lease = lease.next;
  }
  return lease;
}

/** A lease, in the place of one that is over if there was any. */
function filled(
  unused: Counted | undefined,
  pfn: number,
  offset: number,
  order: number,
  count: number,
): Counted {
  if (unused === undefined) return { pfn, offset, order, count, next: undefined };
  unused.pfn = pfn;
  unused.offset = offset;
  unused.order = order;
  unused.count = count;
  return unused;
}

function lastOf(first: Counted): Counted {
  let last = first;
  while (last.next !== undefined) last = last.next;
  return last;
}
