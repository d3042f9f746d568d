import { PageList } from './page-list.js';
import { PageTable } from './page-table.js';

/** Runs of pages `[start, end)` whose numbers rise with them. */
export interface PageRun {
  readonly start: number;
  readonly end: number;
  readonly value: number;
}

/** Pages of one bucket: a run that crosses into the next is kept as two. */
const BUCKET = 2 ** 12;
/** A list that is longer becomes a table. */
const LISTED = 128;

/**
 * A map from pages to numbers, the model's own: for every 2^12 pages a short list of runs, or a
 * table once they are many. As a set, every page has itself for a number.
 */
export class PageRuns {
  readonly #buckets = new Map<number, PageList | PageTable>();

  /**
   * The pages `[start, end)` get the numbers from `value` on; as a set, themselves. Answers whether
   * one of them had a number.
   */
  add(start: number, end: number, value: number = start): boolean {
    let there = false;
    for (let from = start; from < end;) {
      const key = Math.floor(from / BUCKET);
      const to = Math.min(end, (key + 1) * BUCKET);
      let bucket = this.#buckets.get(key);
      if (bucket === undefined) this.#buckets.set(key, (bucket = new PageList()));
      if (bucket.replace(from, to, value + (from - start))) there = true;
      if (bucket instanceof PageList && bucket.count > LISTED) this.#tabulate(key, bucket);
      from = to;
    }
    return there;
  }

  /** Whether no page ever got a number. */
  get empty(): boolean {
    return this.#buckets.size === 0;
  }

  remove(start: number, end: number): void {
    const key = Math.floor(start / BUCKET);
    if (end <= (key + 1) * BUCKET) this.#remove(key, start, end);
    else for (const key of this.#keys(start, end)) this.#remove(key, start, end);
  }

  /** The number of a page, or -1. */
  get(page: number): number {
    return this.#buckets.get(Math.floor(page / BUCKET))?.get(page) ?? -1;
  }

  touches(start: number, end: number): boolean {
    const key = Math.floor(start / BUCKET);
    if (end <= (key + 1) * BUCKET) return this.#buckets.get(key)?.touches(start, end) ?? false;
    return this.#keys(start, end).some((key) => {
      const from = Math.max(start, key * BUCKET);
      return this.#buckets.get(key)!.touches(from, Math.min(end, (key + 1) * BUCKET));
    });
  }

  /** Whether all of the pages have a number. */
  covers(start: number, end: number): boolean {
    let at = start;
    this.visit(start, end, (from, to) => {
      if (from === at) at = to;
    });
    return at >= end;
  }

  /** The runs in `[start, end)`, clipped, in order; those of different buckets are not joined. */
  within(start: number, end: number): PageRun[] {
    const found: PageRun[] = [];
    this.visit(start, end, (from, to, value) => found.push({ start: from, end: to, value }));
    return found;
  }

  /** Tells what `within` answers. */
  visit(start: number, end: number, seen: (from: number, to: number, value: number) => void): void {
    const key = Math.floor(start / BUCKET);
    if (end <= (key + 1) * BUCKET) {
      this.#buckets.get(key)?.visit(start, end, seen);
      return;
    }
    for (const key of this.#keys(start, end)) {
      const from = Math.max(start, key * BUCKET);
      this.#buckets.get(key)!.visit(from, Math.min(end, (key + 1) * BUCKET), seen);
    }
  }

  #remove(key: number, start: number, end: number): void {
    const from = Math.max(start, key * BUCKET);
    const to = Math.min(end, (key + 1) * BUCKET);
    if (to - from === BUCKET) this.#buckets.delete(key);
    else this.#buckets.get(key)?.replace(from, to, -1);
  }

  #tabulate(key: number, list: PageList): void {
    const low = key * BUCKET;
    const table = new PageTable(low, BUCKET);
    list.visit(low, low + BUCKET, (from, to, value) => void table.replace(from, to, value));
    this.#buckets.set(key, table);
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
