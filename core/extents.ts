import { ExtentBlock, type Extent } from './extent-block.js';
import { ExtentTable } from './extent-table.js';
import type { PageRange } from './page-range.js';
import { firstAbove } from './search.js';

export type { Extent } from './extent-block.js';

/**
 * A map from pages to numbers, as sorted runs: page frames of a file, a set of pages, stage-2.
 *
 * A run of n pages holds n consecutive numbers, so neighbours join when their numbers do. Runs are
 * kept in blocks that split when they are full, so that no operation moves more than one block's
 * runs: a tree of two levels. A block has the pages from its own first one to its limit or the
 * first one of the next. Where runs get as short as a few pages, a block becomes a table by page.
 */
export class Extents {
  readonly #blockRuns: number;
  readonly #spread: number;
  readonly #blocks: (ExtentBlock | ExtentTable)[] = [];
  /** Where each block begins, to search in without touching the blocks. */
  readonly #lows: number[] = [];
  /** The block found last: whoever reads a page often writes it next. */
  #recent = 0;
  #pages = 0;

  /**
   * @param blockRuns how many runs a block has at most.
   * @param spread over how many pages for each run, on average, a full block becomes a table: what
   * is more than 4 makes it larger than it was, and found sooner.
   */
  constructor(blockRuns = 512, spread = 8) {
    this.#blockRuns = blockRuns;
    this.#spread = spread;
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
    return this.#blocks.find(({ count }) => count > 0)?.first();
  }

  /** The last run, or undefined when nothing is held. */
  last(): Extent | undefined {
    let at = this.#blocks.length - 1;
    while (at > 0 && this.#blocks[at]!.count === 0) at--;
    const block = this.#blocks[at];
    return block === undefined || block.count === 0 ? undefined : block.last();
  }

  /** The number that a page holds, or -1. */
  get(page: number): number {
    const index = this.#at(page);
    return index < 0 ? -1 : this.#blocks[index]!.get(page - this.#lows[index]!);
  }

  has(page: number): boolean {
    return this.get(page) >= 0;
  }

  /** How many pages of `[start, end)` hold something. */
  count(start: number, end: number): number {
    if (end - start === 1) return this.get(start) < 0 ? 0 : 1;
    return this.#count(start, end);
  }

  /** The first page of `[start, end)` that holds something, or `end`. */
  firstHeld(start: number, end: number): number {
    for (let i = Math.max(this.#at(start), 0); i < this.#lows.length; i++) {
      const low = this.#lows[i]!;
      if (low >= end) break;
      const page = low + this.#blocks[i]!.nextHeld(Math.max(start - low, 0));
      if (page < Infinity) return Math.min(page, end);
    }
    return end;
  }

  /** The first page of `[start, end)` that holds nothing, or `end`. */
  firstHole(start: number, end: number): number {
    let page = start;
    for (let i = this.#at(start); i >= 0 && page < end; i++) {
      const low = this.#lows[i] ?? Infinity;
      if (low > page) break;
      page = low + this.#blocks[i]!.nextHole(page - low);
    }
    return Math.min(page, end);
  }

  /** Lets the pages `[start, end)` hold `value`, `value + 1`, …; what they held is forgotten. */
  set(start: number, end: number, value: number): void {
    for (let at = start; at < end;) {
      const index = this.#blockOf(at);
      const block = this.#blocks[index]!;
      const stop = block.clip(end);
      if (index + 1 < this.#lows.length && this.#lows[index + 1]! < stop)
        this.#takeFrom(index + 1, stop);
      this.#pages += stop - at - block.replace(at - block.low, stop - block.low, value);
      if (block.misfits(this.#blockRuns)) this.#refit(index);
      value += stop - at;
      at = stop;
    }
  }

  /** As `set`, of pages behind all that hold something; the run joins none of those. */
  append(start: number, end: number, value: number): void {
    const half = this.#blockRuns >>> 1; // As blocks that were split are, with room for more.
    let block = this.#blocks.at(-1);
    if (!(block instanceof ExtentBlock) || block.count >= half) {
      block = new ExtentBlock(start);
      this.#blocks.push(block);
      this.#lows.push(start);
    }
    block.append(start - block.low, end - block.low, value);
    this.#pages += end - start;
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
      removed += block.replace(from, end - block.low, -1);
      emptied ||= block.count === 0;
      if (block.misfits(this.#blockRuns)) this.#refit(i);
    }
    // The last one stays, so that a page that comes and goes does not make a block each time.
    if (emptied && this.#blocks.length > 1) this.#dropEmptied();
    this.#pages -= removed;
    return removed;
  }

  /** The runs in `[start, end)`, clipped to it and in order. */
  runs(start = 0, end = Infinity): Extent[] {
    if (end - start !== 1) return this.#runs(start, end);
    const value = this.get(start);
    return value < 0 ? [] : [{ start, end, value }];
  }

  #runs(start: number, end: number): Extent[] {
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

  #count(start: number, end: number): number {
    let pages = 0;
    this.#visit(start, end, (from, to) => (pages += to - from));
    return pages;
  }

  #visit(
    start: number,
    end: number,
    seen: (from: number, to: number, value: number) => void,
  ): void {
    if (start >= end) return;
    for (let i = Math.max(this.#at(start), 0); i < this.#blocks.length; i++) {
      if (this.#lows[i]! >= end) return;
      this.#blocks[i]!.visit(start, end, seen);
    }
  }

  /** The block that a page belongs to; there is one from now on. */
  #blockOf(page: number): number {
    const index = this.#at(page);
    if (index >= 0 && this.#blocks[index]!.clip(page + 1) > page) return index;
    const before = index < 0 ? 0 : this.#blocks[index]!.limit;
    const next = index + 1;
    const block = new ExtentBlock(before);
    if (next === this.#lows.length) {
      this.#blocks.push(block);
      this.#lows.push(before);
    } else {
      this.#blocks.splice(next, 0, block);
      this.#lows.splice(next, 0, before);
    }
    return next;
  }

  /** The blocks from `next` on give up what they have before `end`. */
  #takeFrom(next: number, end: number): void {
    while (next < this.#lows.length && this.#lows[next]! < end) {
      const block = this.#blocks[next]!;
      const high = Math.min(this.#lows[next + 1] ?? Infinity, block.limit);
      if (high <= end) {
        this.#pages -= block.pages;
        this.#blocks.splice(next, 1);
        this.#lows.splice(next, 1);
      } else {
        this.#pages -= block.replace(0, end - block.low, -1);
        block.beginAt(end);
        this.#lows[next] = end;
      }
    }
  }

  /** Splits a block that is full, or keeps what it has in the other way from now on. */
  #refit(index: number): void {
    const block = this.#blocks[index]!;
    if (block instanceof ExtentTable) this.#blocks[index] = block.toBlock();
    else if (block.extent <= block.count * this.#spread) {
      const table = ExtentTable.of(block, this.#lows[index + 1] ?? Infinity, this.#spread);
      this.#blocks[index] = table;
      this.#lows[index] = table.low;
    } else {
      const half = block.split();
      this.#blocks.splice(index + 1, 0, half);
      this.#lows.splice(index + 1, 0, half.low);
    }
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
    const high = lows.length;
    const recent = this.#recent;
    if (recent < high && lows[recent]! <= page) {
      if (recent + 1 === high || page < lows[recent + 1]!) return recent;
    }
    const low = firstAbove(lows, high, 1, 0, page);
    if (low > 0) this.#recent = low - 1;
    return low - 1;
  }
}
