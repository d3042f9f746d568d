import { ExtentBlock } from './extent-block.js';
import type { PageRange } from './page-range.js';

/** Pages `[start, end)` that hold the numbers `value`, `value + 1`, … */
export interface Extent extends PageRange {
  readonly value: number;
}

/** No run crosses a multiple of this, so that rows can count in 32 bits. */
const SPAN = 2 ** 31;

/**
 * A map from pages to numbers, as sorted runs: page frames of a file, a set of pages, stage-2.
 *
 * A run of n pages holds n consecutive numbers, so neighbours join when their numbers do. Runs are
 * kept in blocks that split when they are full, so that no operation moves more than one block's
 * runs: a tree of two levels. A block has the pages from its own first one to that of the next.
 */
export class Extents {
  readonly #blockRuns: number;
  readonly #blocks: ExtentBlock[] = [];
  /** Where each block begins, to search in without touching the blocks. */
  readonly #lows: number[] = [];
  #pages = 0;

  /** @param blockRuns how many runs a block has at most. */
  constructor(blockRuns = 256) {
    this.#blockRuns = blockRuns;
  }

  /** How many pages hold a number. */
  get pages(): number {
    return this.#pages;
  }

  /** The end of the last run, 0 when there is none. */
  get limit(): number {
    return this.last()?.end ?? 0;
  }

  /** The first run, or undefined when nothing is held. */
  first(): Extent | undefined {
    for (const block of this.#blocks) {
      if (block.count === 0) continue;
      const { low } = block;
      return { start: low + block.start(0), end: low + block.end(0), value: block.value(0) };
    }
    return undefined;
  }

  /** The last run, or undefined when nothing is held. */
  last(): Extent | undefined {
    for (let i = this.#blocks.length - 1; i >= 0; i--) {
      const block = this.#blocks[i]!;
      const { low, count } = block;
      if (count === 0) continue;
      const run = count - 1;
      return { start: low + block.start(run), end: low + block.end(run), value: block.value(run) };
    }
    return undefined;
  }

  /** The number that a page holds, or -1. */
  get(page: number): number {
    const index = this.#at(page);
    if (index < 0) return -1;
    const block = this.#blocks[index]!;
    const offset = page - block.low;
    const run = block.find(offset);
    if (run === block.count || block.start(run) > offset) return -1;
    return block.value(run) + (offset - block.start(run));
  }

  has(page: number): boolean {
    return this.get(page) >= 0;
  }

  /** How many pages of `[start, end)` hold something. */
  count(start: number, end: number): number {
    let pages = 0;
    for (let i = Math.max(this.#at(start), 0); i < this.#blocks.length; i++) {
      const block = this.#blocks[i]!;
      const { low, count } = block;
      if (low >= end) break;
      for (let run = block.find(start - low); run < count && low + block.start(run) < end; run++) {
        pages += Math.min(low + block.end(run), end) - Math.max(low + block.start(run), start);
      }
    }
    return pages;
  }

  /** Lets the pages `[start, end)` hold `value`, `value + 1`, …; what they held is forgotten. */
  set(start: number, end: number, value: number): void {
    for (let at = start; at < end;) {
      const stop = Math.min(end, (Math.floor(at / SPAN) + 1) * SPAN);
      const index = this.#blockOf(at, stop);
      const block = this.#blocks[index]!;
      this.#pages += stop - at - block.replace(at - block.low, stop - block.low, value);
      if (block.count > this.#blockRuns) this.#split(index);
      value += stop - at;
      at = stop;
    }
  }

  /** A set of pages is the map of every page to itself. */
  add(start: number, end: number): void {
    this.set(start, end, start);
  }

  /** Forgets what the pages `[start, end)` hold; returns how many held something. */
  delete(start: number, end: number): number {
    let removed = 0;
    let emptied = false;
    for (let i = Math.max(this.#at(start), 0); i < this.#blocks.length; i++) {
      const block = this.#blocks[i]!;
      if (block.low >= end) break;
      const from = Math.max(start - block.low, 0);
      removed += block.replace(from, Math.min(end - block.low, SPAN), -1);
      emptied ||= block.count === 0;
      if (block.count > this.#blockRuns) this.#split(i++);
    }
    // The last one stays, so that a page that comes and goes does not make a block each time.
    if (emptied && this.#blocks.length > 1) this.#dropEmptied();
    this.#pages -= removed;
    return removed;
  }

  /** The runs in `[start, end)`, clipped to it and in order. */
  runs(start = 0, end = Infinity): Extent[] {
    // Mostly one, and an array that is made for one is a tenth as large as one that grew to it.
    let found: { start: number; end: number; value: number }[] | undefined;
    this.#visit(start, end, (from, to, value) => {
      const last = found?.at(-1);
      // A run that crosses from one block to the next is stored as two.
      if (last?.end === from && last.value + (from - last.start) === value) last.end = to;
      else if (found === undefined) found = [{ start: from, end: to, value }];
      else found.push({ start: from, end: to, value });
    });
    return found ?? [];
  }

  /** The pages of `[start, end)` that hold something, whatever it is, as sorted ranges. */
  ranges(start = 0, end = Infinity): PageRange[] {
    const found: { start: number; end: number }[] = [];
    this.#visit(start, end, (from, to) => {
      const last = found.at(-1);
      if (last?.end === from) last.end = to;
      else found.push({ start: from, end: to });
    });
    return found;
  }

  /** The pages of `[start, end)` that hold nothing, as sorted ranges. */
  holes(start: number, end: number): PageRange[] {
    const found: PageRange[] = [];
    let at = start;
    this.#visit(start, end, (from, to) => {
      if (from > at) found.push({ start: at, end: from });
      at = to;
    });
    if (at >= end) return found;
    if (found.length === 0) return [{ start: at, end }]; // As above.
    found.push({ start: at, end });
    return found;
  }

  #visit(
    start: number,
    end: number,
    seen: (from: number, to: number, value: number) => void,
  ): void {
    if (start >= end) return;
    for (let i = Math.max(this.#at(start), 0); i < this.#blocks.length; i++) {
      const block = this.#blocks[i]!;
      const { low } = block;
      if (low >= end) return;
      for (let run = block.find(start - low); run < block.count; run++) {
        const first = low + block.start(run);
        if (first >= end) return;
        const from = Math.max(first, start);
        seen(from, Math.min(low + block.end(run), end), block.value(run) + (from - first));
      }
    }
  }

  /** The block that has all of `[start, end)`, which lie in one span; the others give it up. */
  #blockOf(start: number, end: number): number {
    const base = Math.floor(start / SPAN) * SPAN;
    let index = this.#at(start);
    if (index < 0 || this.#lows[index]! < base) {
      index++;
      this.#blocks.splice(index, 0, new ExtentBlock(base));
      this.#lows.splice(index, 0, base);
    }
    const next = index + 1;
    while (next < this.#lows.length && this.#lows[next]! < end) {
      const block = this.#blocks[next]!;
      const { low } = block;
      const high = Math.min(this.#lows[next + 1] ?? Infinity, base + SPAN);
      if (high <= end) {
        this.#pages -= block.pages;
        this.#blocks.splice(next, 1);
        this.#lows.splice(next, 1);
      } else {
        this.#pages -= block.replace(0, end - low, -1);
        block.beginAt(end);
        this.#lows[next] = end;
      }
    }
    return index;
  }

  #split(index: number): void {
    const half = this.#blocks[index]!.split();
    this.#blocks.splice(index + 1, 0, half);
    this.#lows.splice(index + 1, 0, half.low);
  }

  #dropEmptied(): void {
    let kept = 0;
    for (const block of this.#blocks) {
      if (block.count === 0) continue;
      this.#lows[kept] = block.low;
      this.#blocks[kept++] = block;
    }
    this.#blocks.length = kept;
    this.#lows.length = kept;
  }

  /** The last block that begins at `page` or before, -1 when there is none. */
  #at(page: number): number {
    const lows = this.#lows;
    let low = 0;
    let high = lows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (lows[middle]! > page) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }
}
