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

const NONE = new Int32Array(0);

/** Told of mappings of a level that are alike and in a row, and the entry of the first page. */
export type Seen = (start: number, end: number, entry: Entry, level: Level) => void;

/**
 * The mappings of 1 GiB of guest memory: one that is as large, or in each of 512 places one of
 * 2 MiB, or pages. Pages that are alike, and whose frames are in a row as they are, take one entry
 * and a bit each: what faults in any order touch then fits into a cache. Others take a table of
 * entries. The tables lie behind each other in one array, as too many arrays would fit no cache.
 *
 * Pages are counted from the first one of the region, half-open.
 */
export class Stage2Region {
  /** Which of all it is; the owner's own. */
  number = 0;
  /** The entry of a mapping of the whole region, or 0. */
  #whole: Entry = 0;
  /** By place, the entry of its first page, there or not, if the others follow from it; or 0. */
  #first: Entries = new Int32Array(PLACES);
  /** By place, how many pages are mapped by themselves. */
  readonly #mapped = new Uint16Array(PLACES);
  /** By page, whether it is one that follows from the first of its place; made when there is one. */
  #bits = NONE;
  /** By place, the number of its table, from 1 on, or 0. */
  readonly #table = new Uint16Array(PLACES);
  /** The tables, by number; those that no place has are empty. */
  #pages: Entries = NONE;
  /** The numbers of tables that no place has; from `#next` on, none ever had. */
  readonly #free: number[] = [];
  #next = 1;
  /** How many places are not empty. */
  #used = 0;

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
    const first = this.#first[place]!;
    if (first !== 0) {
      if (this.#mapped[place] !== 0 && !this.#follows(page)) return 0;
      return entryAfter(first, page & PAGE_MASK);
    }
    const table = this.#table[place]!;
    if (table !== 0) return this.#pages[indexOf(table, page)]!;
    return this.#whole === 0 ? 0 : entryAfter(this.#whole, page);
  }

  /** The level of the mapping that a page is part of; 1 for none. */
  levelOf(page: number): Level {
    if (this.#whole !== 0) return 3;
    const place = page >>> PAGE_BITS;
    return this.#first[place] !== 0 && this.#mapped[place] === 0 ? 2 : 1;
  }

  /** Maps a page by itself; returns how many pages were mapped there before, and are not. */
  setPage(page: number, entry: Entry): number {
    const place = page >>> PAGE_BITS;
    let gone = 0;
    if (this.#mapped[place] === 0) gone = this.#begin(place, page & PAGE_MASK, entry);
    const first = this.#first[place]!;
    if (first === 0 || entryAfter(first, page & PAGE_MASK) !== entry) {
      return gone + this.#setInTable(place, page, entry);
    }
    const bit = 1 << (page & 31);
    const word = this.#bits[page >>> 5]!;
    if ((word & bit) !== 0) return gone + 1;
    this.#bits[page >>> 5] = word | bit;
    this.#mapped[place]!++;
    return gone;
  }

  #setInTable(place: number, page: number, entry: Entry): number {
    if (this.#first[place] !== 0) this.#toTable(place);
    if (isWide(entry)) this.#pages = widened(this.#pages);
    const index = indexOf(this.#table[place]!, page);
    const gone = this.#pages[index] === 0 ? 0 : 1;
    if (gone === 0) this.#mapped[place]!++;
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
    const gone = this.zap(page, page + PLACE_PAGES, 'both');
    this.#setFirst(page >>> PAGE_BITS, entry);
    this.#used++;
    return gone;
  }

  /** Forgets mappings as {@link Stage2.zap}; returns how many pages were mapped. */
  zap(start: number, end: number, side: Side): number {
    if (this.#whole !== 0) return isOfSide(this.#whole, side) ? this.#zapWhole() : 0;
    const last = (end - 1) >>> PAGE_BITS;
    let gone = 0;
    for (let place = start >>> PAGE_BITS; place <= last && this.#used > 0; place++) {
      if (this.#mapped[place] !== 0) {
        const low = place << PAGE_BITS;
        const from = Math.max(start, low);
        gone += this.#zapPages(place, from, Math.min(end, low + PLACE_PAGES), side);
      } else if (isOfSide(this.#first[place]!, side)) gone += this.#zapLarge(place);
    }
    return gone;
  }

  /** Write-protects single pages and forgets larger mappings; returns how many pages those had. */
  protect(start: number, end: number): number {
    if (this.#whole !== 0) return this.#zapWhole();
    const last = (end - 1) >>> PAGE_BITS;
    let gone = 0;
    for (let place = start >>> PAGE_BITS; place <= last && this.#used > 0; place++) {
      if (this.#mapped[place] === 0) gone += this.#zapLarge(place);
      else {
        const low = place << PAGE_BITS;
        this.#protectPages(place, Math.max(start, low), Math.min(end, low + PLACE_PAGES));
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
      const low = place << PAGE_BITS;
      const from = Math.max(start, low);
      const to = Math.min(end, low + PLACE_PAGES);
      const first = this.#first[place]!;
      if (this.#mapped[place] !== 0) {
        for (let page = from; page < to; page++) {
          const entry = this.get(page);
          if (entry !== 0) seen(base + page, base + page + 1, entry, 1);
        }
      } else if (first !== 0) seen(base + from, base + to, entryAfter(first, from - low), 2);
    }
  }

  #follows(page: number): boolean {
    return (this.#bits[page >>> 5]! & (1 << (page & 31))) !== 0;
  }

  #setFirst(place: number, entry: Entry): void {
    if (isWide(entry)) this.#first = widened(this.#first);
    this.#first[place] = entry;
  }

  /** The place is to have pages, of which this is the first to come; makes way for it. */
  #begin(place: number, page: number, entry: Entry): number {
    const gone = this.#whole !== 0 ? this.#zapWhole() : this.#zapLarge(place);
    this.#used++;
    // The first page would be that of a frame below 0.
    if (Math.abs(entry) - page * 2 < 2) this.#table[place] = this.#newTable();
    else {
      if (this.#bits.length === 0) this.#bits = new Int32Array(REGION_PAGES >>> 5);
      this.#setFirst(place, entryAfter(entry, -page));
    }
    return gone;
  }

  /** The pages of a place do not follow from its first one any more. */
  #toTable(place: number): void {
    const first = this.#first[place]!;
    const table = this.#newTable();
    if (isWide(entryAfter(first, PAGE_MASK))) this.#pages = widened(this.#pages);
    const low = place << PAGE_BITS;
    for (let page = 0; page < PLACE_PAGES; page++) {
      if (this.#follows(low + page)) this.#pages[indexOf(table, page)] = entryAfter(first, page);
    }
    this.#bits.fill(0, low >>> 5, (low + PLACE_PAGES) >>> 5);
    this.#first[place] = 0;
    this.#table[place] = table;
  }

  #newTable(): number {
    const table = this.#free.pop() ?? this.#next++;
    if (table > this.room) {
      const length = Math.max(PLACE_PAGES, this.#pages.length * 2);
      const wide = this.#pages instanceof Float64Array;
      const pages = wide ? new Float64Array(length) : new Int32Array(length);
      pages.set(this.#pages);
      this.#pages = pages;
    }
    return table;
  }

  #zapWhole(): number {
    this.#whole = 0;
    return REGION_PAGES;
  }

  /** Of a place that has no pages by themselves. */
  #zapLarge(place: number): number {
    if (this.#first[place] === 0) return 0;
    this.#first[place] = 0;
    this.#used--;
    return PLACE_PAGES;
  }

  #zapPages(place: number, start: number, end: number, side: Side): number {
    const first = this.#first[place]!;
    let gone = 0;
    if (first !== 0) {
      if (!isOfSide(first, side)) return 0;
      for (let page = start; page < end; page++) {
        if (!this.#follows(page)) continue;
        this.#bits[page >>> 5]! &= ~(1 << (page & 31));
        gone++;
      }
    } else {
      const table = this.#table[place]!;
      for (let page = start; page < end; page++) {
        const index = indexOf(table, page);
        const entry = this.#pages[index]!;
        if (entry === 0 || !isOfSide(entry, side)) continue;
        this.#pages[index] = 0;
        gone++;
      }
    }
    this.#mapped[place]! -= gone;
    if (this.#mapped[place] === 0) {
      if (first === 0) this.#free.push(this.#table[place]!);
      this.#first[place] = 0;
      this.#table[place] = 0;
      this.#used--;
    }
    return gone;
  }

  #protectPages(place: number, start: number, end: number): void {
    const first = this.#first[place]!;
    if (first !== 0) {
      if (!isWritable(first)) return;
      if (end - start === PLACE_PAGES) {
        this.#first[place] = -first;
        return;
      }
      this.#toTable(place);
    }
    const table = this.#table[place]!;
    for (let page = start; page < end; page++) {
      const entry = this.#pages[indexOf(table, page)]!;
      if (isWritable(entry)) this.#pages[indexOf(table, page)] = -entry;
    }
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
