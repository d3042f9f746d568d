import type { PageRange } from '../../core/index.js';
import { LEVEL_PAGES, type Level } from './levels.js';
import { entryOf, isPrivate, isWritable, pfnOf, type Entry, type Side } from './stage2-entry.js';
import { REGION_PAGES, Stage2Region, type Seen } from './stage2-region.js';

export type { Side } from './stage2-entry.js';

/** What a mapping is apart from its frame. */
export interface Stage2Kind {
  readonly private: boolean;
  readonly writable: boolean;
  readonly level: Level;
}

/** Guest pages `[start, end)` that are frames `pfn`, `pfn + 1`, … */
export interface Stage2Mapping extends PageRange, Stage2Kind {
  readonly pfn: number;
}

/** So many GiB are found without a search. */
const RECENT = 16;

/** An empty region is not kept for later when it has room for more tables than so many. */
const KEPT_ROOM = 8;

/**
 * The second translation of a VM, from guest page to frame.
 *
 * As in the tables of a processor, all that is known of a page is in one entry, and a large mapping
 * takes one entry too. Guest pages, half-open.
 */
export class Stage2 {
  /** By number, those in which something is mapped. */
  readonly #regions = new Map<number, Stage2Region>();
  /** An empty one: a page that comes and goes does not make a region each time. */
  #spare: Stage2Region | undefined;
  /** By the low bits of their numbers, those asked for last: to ask the map takes longer. */
  readonly #recent: (Stage2Region | undefined)[] = Array.from({ length: RECENT });
  #pages = 0;

  /** How many guest pages are mapped. */
  get pages(): number {
    return this.#pages;
  }

  /** The frame of a guest page, or -1. */
  get(gfn: number): number {
    return pfnOf(this.#entry(gfn));
  }

  has(gfn: number): boolean {
    return this.#entry(gfn) !== 0;
  }

  /** What is mapped of `[start, end)`, as sorted ranges. */
  ranges(start = 0, end = Infinity): PageRange[] {
    const found: { start: number; end: number }[] = [];
    this.#visit(start, end, (from, to) => {
      const last = found.at(-1);
      if (last?.end === from) last.end = to;
      else found.push({ start: from, end: to });
    });
    return found;
  }

  /** What is not mapped of `[start, end)`, as sorted ranges. */
  holes(start: number, end: number): PageRange[] {
    const found: PageRange[] = [];
    let at = start;
    this.#visit(start, end, (from, to) => {
      if (from > at) found.push({ start: at, end: from });
      at = to;
    });
    if (at < end) found.push({ start: at, end });
    return found;
  }

  /** Whether the page is mapped for private access. */
  isPrivate(gfn: number): boolean {
    return isPrivate(this.#entry(gfn));
  }

  isWritable(gfn: number): boolean {
    return isWritable(this.#entry(gfn));
  }

  /** The size of the mapping that a mapped page is part of. */
  level(gfn: number): Level {
    return this.#find(gfn)?.levelOf(gfn % REGION_PAGES) ?? 1;
  }

  /** Maps whole pages of one level; what was mapped there before is forgotten. */
  map(start: number, end: number, pfn: number, kind: Stage2Kind): void {
    const { level } = kind;
    const pages = LEVEL_PAGES[level];
    for (let gfn = start; gfn < end; gfn += pages) {
      const entry = entryOf(pfn + (gfn - start), kind.private, kind.writable);
      this.#set(this.#regionOf(gfn), gfn % REGION_PAGES, level, entry);
    }
  }

  /**
   * Maps the page that a fault asks for, and as many beside it as `level` says; answers the level
   * that it is mapped at already, if it has that frame for that side, and can be written if it is
   * to be. Nothing changes then.
   */
  fault(
    gfn: number,
    pfn: number,
    isPrivate: boolean,
    write: boolean,
    writable: boolean,
    level: Level,
  ): Level | undefined {
    const region = this.#regionOf(gfn);
    const page = gfn % REGION_PAGES;
    const old = region.get(page);
    if (old !== 0) {
      const same = entryOf(pfn, isPrivate, true);
      if (old === same || (!write && old === -same)) return region.levelOf(page);
    }
    const before = level === 1 ? 0 : page % LEVEL_PAGES[level];
    this.#set(region, page - before, level, entryOf(pfn - before, isPrivate, writable));
    return undefined;
  }

  /**
   * Forgets what is mapped in `[start, end)`, a large mapping as a whole even when only a part of
   * it lies there. Returns how many pages were mapped.
   */
  zap(start: number, end: number, side: Side): number {
    let zapped = 0;
    this.#each(start, end, (region, from, to) => (zapped += region.zap(from, to, side)));
    this.#pages -= zapped;
    return zapped;
  }

  /** Takes the right to write away from `[start, end)`, and splits large mappings by zapping them. */
  writeProtect(start: number, end: number): void {
    this.#each(start, end, (region, from, to) => (this.#pages -= region.protect(from, to)));
  }

  /** Everything that is mapped in `[start, end)`, in order; for people and for judges. */
  mappings(start = 0, end = Infinity): Stage2Mapping[] {
    const found: Stage2Mapping[] = [];
    this.#visit(start, end, (from, to, entry, level) => {
      const next = {
        start: from,
        end: to,
        pfn: pfnOf(entry),
        private: isPrivate(entry),
        writable: isWritable(entry),
        level,
      };
      const last = found.at(-1);
      if (last === undefined || !continues(last, next)) found.push(next);
      else found[found.length - 1] = { ...last, end: to };
    });
    return found;
  }

  #set(region: Stage2Region, page: number, level: Level, entry: Entry): void {
    const gone = level === 1 ? region.setPage(page, entry) : region.setLarge(page, level, entry);
    this.#pages += LEVEL_PAGES[level] - gone;
  }

  #regionOf(gfn: number): Stage2Region {
    const region = this.#find(gfn);
    if (region !== undefined) return region;
    const added = this.#spare ?? new Stage2Region();
    this.#spare = undefined;
    added.number = regionOf(gfn);
    this.#regions.set(added.number, added);
    return added;
  }

  #find(gfn: number): Stage2Region | undefined {
    const number = regionOf(gfn);
    const recent = this.#recent[number % RECENT];
    return recent?.number === number ? recent : this.#findOther(number);
  }

  #findOther(number: number): Stage2Region | undefined {
    const region = this.#regions.get(number);
    if (region !== undefined) this.#recent[number % RECENT] = region;
    return region;
  }

  #entry(gfn: number): Entry {
    return this.#find(gfn)?.get(gfn % REGION_PAGES) ?? 0;
  }

  #visit(start: number, end: number, seen: Seen): void {
    this.#each(start, end, (region, from, to, base) => region.visit(from, to, base, seen));
  }

  /** Every region that has any of `[start, end)`, in order; pages `[from, to)` of it. */
  #each(
    start: number,
    end: number,
    seen: (region: Stage2Region, from: number, to: number, base: number) => void,
  ): void {
    if (start >= end) return;
    for (const number of this.#within(regionOf(start), regionOf(end - 1))) {
      const region = this.#regions.get(number);
      if (region === undefined) continue;
      const base = number * REGION_PAGES;
      seen(region, Math.max(start - base, 0), Math.min(end - base, REGION_PAGES), base);
      if (region.empty) this.#drop(number, region);
    }
  }

  #drop(number: number, empty: Stage2Region): void {
    this.#regions.delete(number);
    this.#recent[number % RECENT] = undefined;
    if (empty.room <= KEPT_ROOM) this.#spare = empty;
  }

  /** The numbers of regions `[first, last]` that are there, in order. */
  #within(first: number, last: number): readonly number[] {
    if (first === last) return [first];
    const there = [...this.#regions.keys()].filter((number) => number >= first && number <= last);
    return there.sort((a, b) => a - b);
  }
}

/** The number of the region that a guest page is in. */
function regionOf(gfn: number): number {
  return Math.floor(gfn / REGION_PAGES);
}

function continues(last: Stage2Mapping, next: Stage2Mapping): boolean {
  return (
    last.end === next.start &&
    last.pfn + (last.end - last.start) === next.pfn &&
    last.private === next.private &&
    last.writable === next.writable &&
    last.level === next.level
  );
}
