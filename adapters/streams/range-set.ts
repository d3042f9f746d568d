import type { PageRange } from '../../core/index.js';

/**
 * A set of pages as sorted ranges that do not touch. Unlike `Extents` it costs the same for a range
 * of any length: an invalidation may announce 2^51 pages.
 */
export class RangeSet {
  readonly #ranges: PageRange[];

  /** @param ranges sorted and disjoint. */
  constructor(ranges: readonly PageRange[] = []) {
    this.#ranges = [...ranges];
  }

  add(start: number, end: number): void {
    const from = this.#firstEndingAt(start);
    let to = from;
    for (; to < this.#ranges.length && this.#ranges[to]!.start <= end; to++) {
      start = Math.min(start, this.#ranges[to]!.start);
      end = Math.max(end, this.#ranges[to]!.end);
    }
    this.#ranges.splice(from, to - from, { start, end });
  }

  delete(start: number, end: number): void {
    const from = this.#firstEndingAt(start + 1);
    const left: PageRange[] = [];
    let to = from;
    for (; to < this.#ranges.length && this.#ranges[to]!.start < end; to++) {
      const range = this.#ranges[to]!;
      if (range.start < start) left.push({ start: range.start, end: start });
      if (range.end > end) left.push({ start: end, end: range.end });
    }
    this.#ranges.splice(from, to - from, ...left);
  }

  /** As they are now; later changes do not show in it. */
  ranges(): readonly PageRange[] {
    return [...this.#ranges];
  }

  /** The index of the first range that ends at `page` or later. */
  #firstEndingAt(page: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]!.end >= page) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
