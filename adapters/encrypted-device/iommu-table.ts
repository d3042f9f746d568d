import { Extents, type PageRange } from '../../core/index.js';

/** What an unmapping really took away. */
export interface Unmapped extends PageRange {
  /** How many pages were mapped in `[start, end)`. */
  readonly pages: number;
}

/**
 * Where a device finds its pages: I/O virtual pages to frames. An entry is a run that is contiguous
 * in both, and there is a limit to entries, as `dma_entry_limit` of VFIO. Pages, half-open.
 *
 * Unmapping the middle of an entry splits it. When there is no room for the second half, the
 * smaller one (the upper of two equal ones) is unmapped too: the limit is hard, and an unmapping
 * cannot be refused.
 */
export class IommuTable {
  readonly limit: number;
  /** The most entries and pages that there ever were. */
  peak = 0;
  peakPages = 0;
  /** How many entries were cut in two. */
  splits = 0;
  /** How many pages were unmapped because there was no room for a second half. */
  droppedPages = 0;
  readonly #frames = new Extents();
  #entries = 0;
  #reserved = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Entries, and those that somebody was promised. */
  get used(): number {
    return this.#entries + this.#reserved;
  }

  get pages(): number {
    return this.#frames.pages;
  }

  /** The frame of a page, or -1. */
  translate(page: number): number {
    return this.#frames.get(page);
  }

  /** What is mapped of `[start, end)`, as sorted ranges. */
  ranges(start?: number, end?: number): PageRange[] {
    return this.#frames.ranges(start, end);
  }

  holes(start: number, end: number): PageRange[] {
    return this.#frames.holes(start, end);
  }

  /** Promises room for entries to come; a negative count gives it back. */
  reserve(entries: number): void {
    this.#reserved += entries;
  }

  /** Maps pages that are not mapped to frames from `pfn` on; false when there is no room. */
  map(start: number, end: number, pfn: number): boolean {
    const joins = [
      pfn > 0 && this.translate(start - 1) === pfn - 1,
      this.translate(end) === pfn + (end - start),
    ];
    const added = 1 - joins.filter(Boolean).length;
    if (added > this.limit - this.used) return false;
    this.#frames.set(start, end, pfn);
    this.#entries += added;
    this.peak = Math.max(this.peak, this.#entries);
    this.peakPages = Math.max(this.peakPages, this.pages);
    return true;
  }

  /** Unmaps pages `[start, end)`, and more where there is no room for what would be left. */
  unmap(start: number, end: number): Unmapped {
    const touched = this.#frames.runs(start, end).length;
    const left = this.#joined(start);
    const right = this.#joined(end);
    if (touched === 1 && left && right) {
      if (this.used >= this.limit) return this.#unmapHalf(start, end);
      this.splits++;
    }
    if (touched > 0) this.#entries += Number(left) + Number(right) - touched;
    this.peak = Math.max(this.peak, this.#entries);
    return { start, end, pages: this.#frames.delete(start, end) };
  }

  /** Whether a page is in the same entry as the one before it. */
  #joined(page: number): boolean {
    const before = this.translate(page - 1);
    return before >= 0 && this.translate(page) === before + 1;
  }

  #unmapHalf(start: number, end: number): Unmapped {
    const entry = this.#entryOf(start);
    const lower = start - entry.start < entry.end - end;
    const range = lower ? { start: entry.start, end } : { start, end: entry.end };
    this.droppedPages += range.end - range.start - (end - start);
    return { ...range, pages: this.#frames.delete(range.start, range.end) };
  }

  /** The whole entry of a page that is mapped. */
  #entryOf(page: number): PageRange {
    for (let reach = 64; ; reach *= 2) {
      const from = Math.max(0, page - reach);
      const runs = this.#frames.runs(from, page + reach);
      const entry = runs.find((run) => run.start <= page && page < run.end)!;
      const whole = entry.start > from || from === 0;
      if (whole && entry.end < page + reach) return entry;
    }
  }
}
