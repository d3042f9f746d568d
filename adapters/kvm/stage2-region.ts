import { LEVEL_PAGES, type Level } from './levels.js';
import { entryAfter, isOfSide, isWritable, type Entry, type Side } from './stage2-entry.js';

/** Guest pages of a region: those of the largest mapping. */
export const REGION_PAGES = LEVEL_PAGES[3];

/** Pages of a place, and places of a region. */
const PLACE_PAGES = LEVEL_PAGES[2];
const PLACES = REGION_PAGES / PLACE_PAGES;
/** A page is the number of its place in the high bits, and where it is there in the low ones. */
const PAGE_BITS = 9;
const PAGE_MASK = PLACE_PAGES - 1;

/** The largest number of a narrow entry. */
const NARROW = 2 ** 31 - 1;

type Entries = Int32Array | Float64Array;

/** Told of a mapping: its pages that were asked about, the entry of the first, and its level. */
export type Seen = (start: number, end: number, entry: Entry, level: Level) => void;

/**
 * The mappings of 1 GiB of guest memory: one that is as large, or in each of 512 places one of
 * 2 MiB, or a table of pages. The tables lie behind each other in one array, so that a page is
 * found in it without going from table to table: those are too many to be in a cache.
 *
 * Pages are counted from the first one of the region, half-open.
 */
export class Stage2Region {
  /** The entry of a mapping of the whole region, or 0. */
  #whole: Entry = 0;
  /** By place, the entry of a mapping that fills it, or 0. */
  #large: Entries = new Int32Array(PLACES);
  /** By place, the number of its table, from 1 on, or 0. */
  readonly #table = new Uint16Array(PLACES);
  /** By place, how many pages its table has mapped. */
  readonly #mapped = new Uint16Array(PLACES);
  /** How many places are not empty. */
  #used = 0;
  /** The tables, by number; those that no place has are empty. */
  #pages: Entries = new Int32Array(PLACE_PAGES);
  /** The numbers of tables that no place has; from `#next` on, none ever had. */
  readonly #free: number[] = [];
  #next = 1;

  get empty(): boolean {
    return this.#used === 0 && this.#whole === 0;
  }

  /** How many tables it has room for. */
  get room(): number {
    return this.#pages.length / PLACE_PAGES;
  }

  /** The entry of a page, as if it were mapped by itself; 0 for none. */
  get(page: number): Entry {
    const place = page >>> PAGE_BITS;
    const table = this.#table[place]!;
    if (table !== 0) return this.#pages[indexOf(table, page)]!;
    const large = this.#large[place]!;
    if (large !== 0) return entryAfter(large, page & PAGE_MASK);
    return this.#whole === 0 ? 0 : entryAfter(this.#whole, page);
  }

  /** The level of the mapping that a page is part of; 1 for none. */
  levelOf(page: number): Level {
    if (this.#whole !== 0) return 3;
    return this.#large[page >>> PAGE_BITS] === 0 ? 1 : 2;
  }

  /** Maps a page by itself; returns how many pages were mapped there before, and are not. */
  setPage(page: number, entry: Entry): number {
    const place = page >>> PAGE_BITS;
    let gone = 0;
    let table = this.#table[place]!;
    if (table === 0) {
      gone = this.#zapLarge(place);
      table = this.#newTable(place);
    }
    if (isWide(entry)) this.#pages = widened(this.#pages);
    const index = indexOf(table, page);
    if (this.#pages[index] !== 0) gone++;
    else this.#mapped[place]!++;
    this.#pages[index] = entry;
    return gone;
  }

  /** As above, a mapping of 2 MiB or 1 GiB, from its first page on. */
  setLarge(page: number, level: 2 | 3, entry: Entry): number {
    if (level === 3) {
      const gone = this.zap(0, REGION_PAGES, 'both');
      this.#whole = entry;
      return gone;
    }
    const place = page >>> PAGE_BITS;
    const gone = this.#zapLarge(place) + this.zap(page, page + PLACE_PAGES, 'both');
    if (isWide(entry)) this.#large = widened(this.#large);
    this.#large[place] = entry;
    this.#used++;
    return gone;
  }

  /** Forgets mappings as {@link Stage2.zap}; returns how many pages were mapped. */
  zap(start: number, end: number, side: Side): number {
    if (this.#whole !== 0) return isOfSide(this.#whole, side) ? this.#zapWhole() : 0;
    const last = (end - 1) >>> PAGE_BITS;
    let gone = 0;
    for (let place = start >>> PAGE_BITS; place <= last && this.#used > 0; place++) {
      const first = place << PAGE_BITS;
      if (this.#table[place] !== 0) {
        const from = Math.max(start, first);
        gone += this.#zapPages(place, from, Math.min(end, first + PLACE_PAGES), side);
      } else if (isOfSide(this.#large[place]!, side)) gone += this.#zapLarge(place);
    }
    return gone;
  }

  /** Write-protects single pages and forgets larger mappings; returns how many pages those had. */
  protect(start: number, end: number): number {
    if (this.#whole !== 0) return this.#zapWhole();
    const last = (end - 1) >>> PAGE_BITS;
    let gone = 0;
    for (let place = start >>> PAGE_BITS; place <= last && this.#used > 0; place++) {
      const first = place << PAGE_BITS;
      const table = this.#table[place]!;
      if (table === 0) gone += this.#zapLarge(place);
      else {
        const stop = Math.min(end, first + PLACE_PAGES);
        for (let page = Math.max(start, first); page < stop; page++) {
          const entry = this.#pages[indexOf(table, page)]!;
          if (isWritable(entry)) this.#pages[indexOf(table, page)] = -entry;
        }
      }
    }
    return gone;
  }

  /** Tells what is mapped of `[start, end)`, in order; its own first page is told as `base`. */
  visit(start: number, end: number, base: number, seen: Seen): void {
    if (this.#whole !== 0) {
      seen(base + start, base + end, entryAfter(this.#whole, start), 3);
      return;
    }
    const last = (end - 1) >>> PAGE_BITS;
    for (let place = start >>> PAGE_BITS; place <= last; place++) {
      const first = place << PAGE_BITS;
      const from = Math.max(start, first);
      const to = Math.min(end, first + PLACE_PAGES);
      const table = this.#table[place]!;
      const large = this.#large[place]!;
      if (large !== 0) seen(base + from, base + to, entryAfter(large, from - first), 2);
      else if (table !== 0) {
        for (let page = from; page < to; page++) {
          const entry = this.#pages[indexOf(table, page)]!;
          if (entry !== 0) seen(base + page, base + page + 1, entry, 1);
        }
      }
    }
  }

  #zapWhole(): number {
    this.#whole = 0;
    return REGION_PAGES;
  }

  /** Makes way for anything smaller or beside: what is mapped in a place that has no table. */
  #zapLarge(place: number): number {
    if (this.#whole !== 0) return this.#zapWhole();
    if (this.#large[place] === 0) return 0;
    this.#large[place] = 0;
    this.#used--;
    return PLACE_PAGES;
  }

  #zapPages(place: number, start: number, end: number, side: Side): number {
    const pages = this.#pages;
    const table = this.#table[place]!;
    let gone = 0;
    for (let page = start; page < end; page++) {
      const index = indexOf(table, page);
      const entry = pages[index]!;
      if (entry === 0 || !isOfSide(entry, side)) continue;
      pages[index] = 0;
      gone++;
    }
    this.#mapped[place]! -= gone;
    if (this.#mapped[place] === 0) {
      this.#table[place] = 0;
      this.#free.push(table);
      this.#used--;
    }
    return gone;
  }

  #newTable(place: number): number {
    const table = this.#free.pop() ?? this.#next++;
    if (table > this.room) {
      const { length } = this.#pages;
      const pages =
        this.#pages instanceof Int32Array
          ? new Int32Array(length * 2)
          : new Float64Array(length * 2);
      pages.set(this.#pages);
      this.#pages = pages;
    }
    this.#table[place] = table;
    this.#used++;
    return table;
  }
}

/** Where the entry of a page is, in the table of its place. */
function indexOf(table: number, page: number): number {
  return ((table - 1) << PAGE_BITS) | (page & PAGE_MASK);
}

function isWide(entry: Entry): boolean {
  return entry > NARROW || entry < -NARROW;
}

function widened(entries: Entries): Entries {
  return entries instanceof Int32Array ? Float64Array.from(entries) : entries;
}
