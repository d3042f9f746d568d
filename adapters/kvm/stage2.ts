import { Extents, type Extent, type PageRange } from '../../core/index.js';
import { LARGE_LEVELS, LEVEL_PAGES, type Level } from './levels.js';

/** Which mappings an invalidation concerns: those that private faults made, shared ones, or all. */
export type Side = 'private' | 'shared' | 'both';

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

/**
 * The second translation of a VM, from guest page to frame.
 *
 * Frames are extents; what is rare (private, write-protected, mapped larger than a page) is kept as
 * a set of pages each, so that an ordinary mapping costs nothing for it. Guest pages, half-open.
 */
export class Stage2 {
  /** Soon by page: faults come in any order, and the tables of a processor have a word a page too. */
  readonly #frames = new Extents();
  readonly #private = new Extents();
  readonly #protected = new Extents();
  readonly #large = { 2: new Extents(), 3: new Extents() };
  readonly #kinds = [this.#private, this.#protected, this.#large[2], this.#large[3]];
  /** Whether anything but ordinary mappings was ever made. */
  #hasKinds = false;

  /** How many guest pages are mapped. */
  get pages(): number {
    return this.#frames.pages;
  }

  /** The frame of a guest page, or -1. */
  get(gfn: number): number {
    return this.#frames.get(gfn);
  }

  has(gfn: number): boolean {
    return this.#frames.has(gfn);
  }

  /** What is mapped of `[start, end)`, as sorted ranges. */
  ranges(start?: number, end?: number): PageRange[] {
    return this.#frames.ranges(start, end);
  }

  /** What is not mapped of `[start, end)`, as sorted ranges. */
  holes(start: number, end: number): PageRange[] {
    return this.#frames.holes(start, end);
  }

  /** Whether the page is mapped for private access. */
  isPrivate(gfn: number): boolean {
    return this.#private.has(gfn);
  }

  isWritable(gfn: number): boolean {
    return this.has(gfn) && !this.#protected.has(gfn);
  }

  /** The size of the mapping that a mapped page is part of. */
  level(gfn: number): Level {
    return LARGE_LEVELS.find((level) => this.#large[level].has(gfn)) ?? 1;
  }

  /** Maps whole pages of one level; what was mapped there before is forgotten. */
  map(start: number, end: number, pfn: number, kind: Stage2Kind): void {
    if (this.#hasKinds) this.zap(start, end, 'both');
    this.#frames.set(start, end, pfn);
    if (kind.private || !kind.writable || kind.level > 1) this.#hasKinds = true;
    if (kind.private) this.#private.add(start, end);
    if (!kind.writable) this.#protected.add(start, end);
    if (kind.level > 1) this.#large[kind.level as 2 | 3].add(start, end);
  }

  /**
   * Forgets what is mapped in `[start, end)`, a large mapping as a whole even when only a part of
   * it lies there. Returns how many pages were mapped.
   */
  zap(start: number, end: number, side: Side): number {
    for (const level of LARGE_LEVELS) {
      const size = LEVEL_PAGES[level];
      if (this.#large[level].pages === 0) continue;
      if (this.#large[level].has(start)) start -= start % size;
      if (this.#large[level].has(end - 1)) end = Math.ceil(end / size) * size;
    }
    if (side === 'both') return this.#forget(start, end);
    const ranges =
      side === 'private' ? this.#private.ranges(start, end) : this.#private.holes(start, end);
    return ranges.reduce((zapped, range) => zapped + this.#forget(range.start, range.end), 0);
  }

  /** Takes the right to write away from `[start, end)`, and splits large mappings by zapping them. */
  writeProtect(start: number, end: number): void {
    for (const level of LARGE_LEVELS) {
      for (const range of this.#large[level].ranges(start, end)) {
        this.zap(range.start, range.end, 'both');
      }
    }
    for (const range of this.ranges(start, end)) {
      this.#hasKinds = true;
      this.#protected.add(range.start, range.end);
    }
  }

  /** Everything that is mapped in `[start, end)`, in order; for people and for judges. */
  mappings(start?: number, end?: number): Stage2Mapping[] {
    return this.#frames.runs(start, end).flatMap((run) => this.#pieces(run));
  }

  /** A run in pieces of one kind each. */
  #pieces({ start, end, value }: Extent): Stage2Mapping[] {
    const borders = this.#kinds.flatMap((set) =>
      set.ranges(start, end).flatMap((r) => [r.start, r.end]),
    );
    const cuts = [...new Set([start, ...borders, end])].sort((a, b) => a - b);
    return cuts.slice(1).map((to, i) => {
      const from = cuts[i]!;
      return {
        start: from,
        end: to,
        pfn: value + (from - start),
        private: this.isPrivate(from),
        writable: this.isWritable(from),
        level: this.level(from),
      };
    });
  }

  #forget(start: number, end: number): number {
    const zapped = this.#frames.delete(start, end);
    if (zapped > 0) {
      for (const set of this.#kinds) {
        if (set.pages > 0) set.delete(start, end);
      }
    }
    return zapped;
  }
}
