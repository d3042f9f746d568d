import { Extents, PAGE_SIZE, SmallMap, type PageRange } from '../../core/index.js';

/** Frames whose contents live in one ArrayBuffer. */
const CHUNK_FRAMES = 256;

/** So many frames may lie idle before short runs are used up. */
const SPARE = 4096;

/** So many runs are sorted at once, at most: far more than are freed for one that is taken. */
const SORTED = 32;

/**
 * The page frames of a store: which are free, how often each is referenced, and their contents.
 *
 * Contents exist only where somebody looked: a chunk is allocated at the first `bytes()` of one of
 * its frames, so that bookkeeping of terabytes costs nothing.
 */
export class FramePool {
  readonly #limit: number;
  /** Frames that were used before, as a set. */
  readonly #free = new Extents();
  /**
   * Runs that were freed lately, starts and ends in turn, which are not in the set yet: what comes
   * back is often wanted next, and what is never wanted again is never sorted.
   */
  readonly #recent: number[] = [];
  /** How many of those numbers are in use: arrays that shrink and grow are copied. */
  #top = 0;
  #recentPages = 0;
  readonly #references = new SmallMap<number>();
  /** Referenced frames whose page has left its file. */
  readonly #orphans = new Set<number>();
  readonly #chunks = new Map<number, Uint8Array>();
  /** The first frame never used. Frame 0 is nobody's, so that a 0 is always a mistake. */
  #next = 1;

  /** @param limit how many frames there are. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many frames can be taken. */
  get available(): number {
    return this.#limit - this.#used();
  }

  #used(): number {
    return this.#next - 1 - this.#free.pages - this.#recentPages;
  }

  /** Takes at most `count` consecutive frames, zeroed; the caller knows that some are available. */
  take(count: number): PageRange {
    const recent = this.#recent;
    const last = this.#top - 2;
    if (last >= 0 && recent[last + 1]! - recent[last]! >= count) {
      const start = recent[last]!;
      if (recent[last + 1] === start + count) this.#top = last;
      else recent[last] = start + count;
      this.#recentPages -= count;
      if (this.#chunks.size > 0) this.zero(start, start + count);
      return { start, end: start + count };
    }
    return this.#takeSorted(count);
  }

  #takeSorted(count: number): PageRange {
    this.#sort(SORTED);
    const reused = this.#reusable(count);
    const start = reused?.start ?? this.#next;
    const end = Math.min(start + count, reused?.end ?? this.#limit + 1);
    if (reused === undefined) this.#next = end;
    else {
      this.#free.delete(start, end);
      this.zero(start, end);
    }
    return { start, end };
  }

  /**
   * A free run that is long enough, at either end of what is free: pages that arrive together lie
   * together, which keeps both the files and the free frames in few runs. Numbers of frames are
   * plenty and contents are not, so short runs are used up when there are many of those.
   */
  #reusable(count: number): PageRange | undefined {
    if (this.#free.pages === 0) return undefined;
    const last = this.#free.last()!;
    if (last.end - last.start >= count) return last;
    const first = this.#free.first()!;
    if (first.end - first.start >= count) return first;
    const thrifty = this.#chunks.size * CHUNK_FRAMES > 2 * this.#used() + SPARE;
    return thrifty || this.#next > this.#limit ? last : undefined;
  }

  /** These frames are somebody's already; called before any is taken. */
  claim(start: number, end: number): void {
    this.#sort(Infinity);
    if (start > this.#next) this.#free.add(this.#next, start);
    this.#free.delete(start, end);
    this.#next = Math.max(this.#next, end);
  }

  /** The frame is referenced already, by leases from before; `orphan` when no page has it. */
  claimReferenced(pfn: number, count: number, orphan: boolean): void {
    this.#references.set(pfn, count);
    if (!orphan) return;
    this.claim(pfn, pfn + 1);
    this.#orphans.add(pfn);
  }

  /** The page of each of these frames has left its file. */
  release(start: number, end: number): void {
    if (this.#references.size > 0) this.#releaseUnreferenced(start, end);
    else this.#freed(start, end);
  }

  #releaseUnreferenced(start: number, end: number): void {
    let from = start;
    for (const pfn of this.#referenced(start, end)) {
      this.#orphans.add(pfn);
      if (from < pfn) this.#freed(from, pfn);
      from = pfn + 1;
    }
    if (from < end) this.#freed(from, end);
  }

  /** These frames can be taken again. */
  #freed(start: number, end: number): void {
    const recent = this.#recent;
    const last = this.#top - 2;
    if (last >= 0 && start === recent[last + 1]) recent[last + 1] = end;
    else if (last >= 0 && end === recent[last]) recent[last] = start;
    else {
      recent[this.#top++] = start;
      recent[this.#top++] = end;
    }
    this.#recentPages += end - start;
  }

  /** Puts so many of the runs freed last into the set, where they join what lies beside them. */
  #sort(runs: number): void {
    const recent = this.#recent;
    for (let left = runs; left > 0 && this.#top > 0; left--) {
      const end = recent[--this.#top]!;
      const start = recent[--this.#top]!;
      this.#free.add(start, end);
      this.#recentPages -= end - start;
    }
  }

  /** The referenced frames of a range, sorted; costs the smaller of the two. */
  #referenced(start: number, end: number): number[] {
    const found: number[] = [];
    if (this.#references.size < end - start) {
      for (const pfn of this.#references.keys()) if (pfn >= start && pfn < end) found.push(pfn);
      return found.sort((a, b) => a - b);
    }
    for (let pfn = start; pfn < end; pfn++) if (this.#references.has(pfn)) found.push(pfn);
    return found;
  }

  reference(pfn: number): void {
    this.#references.set(pfn, (this.#references.get(pfn) ?? 0) + 1);
  }

  /** Answers false when the frame is not referenced. */
  unreference(pfn: number): boolean {
    const count = this.#references.get(pfn);
    if (count === undefined) return false;
    if (count > 1) this.#references.set(pfn, count - 1);
    else {
      this.#references.delete(pfn);
      if (this.#orphans.size > 0 && this.#orphans.delete(pfn)) this.#freed(pfn, pfn + 1);
    }
    return true;
  }

  /** The contents of one frame, not copied. */
  bytes(pfn: number): Uint8Array {
    const key = Math.floor(pfn / CHUNK_FRAMES);
    let chunk = this.#chunks.get(key);
    if (chunk === undefined) {
      chunk = new Uint8Array(CHUNK_FRAMES * PAGE_SIZE);
      this.#chunks.set(key, chunk);
    }
    const at = (pfn - key * CHUNK_FRAMES) * PAGE_SIZE;
    return chunk.subarray(at, at + PAGE_SIZE);
  }

  /** Zeroes the contents of frames; those that nobody looked at are zero already. */
  zero(start: number, end: number): void {
    if (this.#chunks.size === 0) return;
    for (let pfn = start; pfn < end;) {
      const key = Math.floor(pfn / CHUNK_FRAMES);
      const stop = Math.min(end, (key + 1) * CHUNK_FRAMES);
      const base = key * CHUNK_FRAMES;
      this.#chunks.get(key)?.fill(0, (pfn - base) * PAGE_SIZE, (stop - base) * PAGE_SIZE);
      pfn = stop;
    }
  }
}
