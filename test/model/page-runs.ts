import { PageList, type Seen } from './page-list.js';
import { PageTable } from './page-table.js';

/** Pages `[start, end)` whose numbers rise with them from `value` on. */
export interface PageRun {
  readonly start: number;
  readonly end: number;
  readonly value: number;
}

/** Pages of one bucket: a run that crosses into the next is kept as two. */
const BUCKET = 2 ** 11;
/** A list that is longer becomes a table. */
const LISTED = 64;
/** Of a range that is wider, only the buckets that there are are gone through. */
const WIDE = 64 * BUCKET;

/**
 * A map from pages to numbers, the model's own: for every 2^11 pages a short list of runs, or a
 * table once they are many.
 */
export class PageRuns {
  readonly #buckets = new Map<number, PageList | PageTable>();
  /** The bucket that was asked for last: the next page is mostly near. */
  #recentKey = -1;
  #recent: PageList | PageTable | undefined;

  /** Gives the pages `[start, end)` the numbers from `value` on; answers whether one had any. */
  add(start: number, end: number, value: number): boolean {
    let there = false;
    for (let from = start; from < end;) {
      const key = Math.floor(from / BUCKET);
      const to = Math.min(end, (key + 1) * BUCKET);
      const bucket = this.#bucket(key) ?? this.#put(key, new PageList());
      if (bucket.add(from, to, value + (from - start))) there = true;
      if (bucket instanceof PageList && bucket.count > LISTED) this.#tabulate(key, bucket);
      from = to;
    }
    return there;
  }

  /** The number of a page, or -1. */
  get(page: number): number {
    const bucket = this.#bucket(Math.floor(page / BUCKET));
    return bucket === undefined ? -1 : bucket.get(page);
  }

  touches(start: number, end: number): boolean {
    return this.#keys(start, end).some((key) => {
      const from = Math.max(start, key * BUCKET);
      return this.#buckets.get(key)?.touches(from, Math.min(end, (key + 1) * BUCKET)) ?? false;
    });
  }

  /** Tells the runs in `[start, end)`, clipped, in order; those of different buckets are not joined. */
  visit(start: number, end: number, seen: Seen): void {
    for (const key of this.#keys(start, end)) {
      const from = Math.max(start, key * BUCKET);
      this.#buckets.get(key)?.visit(from, Math.min(end, (key + 1) * BUCKET), seen);
    }
  }

  /** The runs that `visit` tells. */
  within(start: number, end: number): PageRun[] {
    const found: PageRun[] = [];
    this.visit(start, end, (from, to, value) => found.push({ start: from, end: to, value }));
    return found;
  }

  /** Takes the pages `[start, end)` out, and tells the runs of them as `visit` does. */
  remove(start: number, end: number, seen?: Seen): void {
    if (end - start > WIDE) {
      for (const key of this.#keys(start, end)) this.#remove(key, start, end, seen);
      return;
    }
    const last = Math.floor((end - 1) / BUCKET);
    for (let key = Math.floor(start / BUCKET); key <= last; key++) {
      this.#remove(key, start, end, seen);
    }
  }

  #remove(key: number, start: number, end: number, seen: Seen | undefined): void {
    const from = Math.max(start, key * BUCKET);
    const to = Math.min(end, (key + 1) * BUCKET);
    this.#bucket(key)?.remove(from, to, seen);
    if (to - from < BUCKET || !this.#buckets.delete(key)) return;
    this.#recentKey = -1;
    this.#recent = undefined;
  }

  #bucket(key: number): PageList | PageTable | undefined {
    if (key === this.#recentKey) return this.#recent;
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return undefined;
    this.#recentKey = key;
    return (this.#recent = bucket);
  }

  #put(key: number, bucket: PageList | PageTable): PageList | PageTable {
    this.#buckets.set(key, bucket);
    this.#recentKey = key;
    return (this.#recent = bucket);
  }

  #tabulate(key: number, list: PageList): void {
    const low = key * BUCKET;
    const table = new PageTable(low, BUCKET);
    list.visit(low, low + BUCKET, (from, to, value) => void table.add(from, to, value));
    this.#put(key, table);
  }

  /** The buckets that there are for `[start, end)`, in order. */
  #keys(start: number, end: number): number[] {
    const from = Math.floor(start / BUCKET);
    const to = Math.ceil(end / BUCKET);
    if (to - from <= this.#buckets.size) {
      const keys: number[] = [];
      for (let key = from; key < to; key++) if (this.#buckets.has(key)) keys.push(key);
      return keys;
    }
    const keys = [...this.#buckets.keys()].filter((key) => key >= from && key < to);
    return keys.sort((a, b) => a - b);
  }
}
