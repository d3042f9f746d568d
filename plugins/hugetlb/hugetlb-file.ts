import {
  Extents,
  MemfileError,
  PAGE_SIZE,
  type Allocation,
  type AttachState,
  type ContentMode,
  type FileSpec,
  type PageRange,
  type Side,
  type StoreFile,
  type StoreHost,
  type TakenFrames,
  type WhyFreed,
} from '../../core/index.js';
import type { HugePagePool } from './huge-page-pool.js';

/** What files of the store take beside the options of every file. */
export interface HugetlbFileOptions {
  /**
   * Reserves the huge pages of the whole size when the file is created, so that no fallocate inside
   * it can find the pool empty; false by default, as MFD_HUGETLB with MAP_NORESERVE.
   */
  readonly reserve?: boolean | undefined;
}

/** The places of a file that have reservations, as a journal keeps them. */
export interface Promises {
  readonly before: readonly PageRange[];
  remember(promised: readonly PageRange[]): void;
}

/** Frames that a journal knows to be taken are not in the pool. */
export function withhold(
  pool: HugePagePool,
  granule: number,
  { leased, quarantined }: TakenFrames,
  has: (frame: number) => boolean = () => false,
): void {
  const leaked = new Extents();
  for (const { start, end, pfn } of quarantined) {
    const last = Math.ceil((pfn + (end - start)) / granule);
    for (let frame = Math.floor(pfn / granule); frame < last; frame++) {
      pool.claim(frame);
      leaked.add(frame, frame + 1);
    }
  }
  for (const { pfn, count } of leased) {
    const frame = Math.floor(pfn / granule);
    pool.claimReferenced(frame, count, !has(frame) && !leaked.has(frame));
  }
}

/**
 * The huge pages of one file (fs/hugetlbfs/inode.c). Its places are huge pages; outside they are
 * counted in 4 KiB pages like everything.
 */
export class HugetlbFile implements StoreFile {
  readonly granule: number;
  readonly #name: string;
  readonly #order: number;
  readonly #pool: HugePagePool;
  /** Called after anything that can have changed the pool. */
  readonly #changed: () => void;
  /** Place to frame of the pool. */
  readonly #frames = new Extents();
  /** The places that were given a reservation, used or not, as the `resv_map` of the inode. */
  readonly #promised = new Extents();
  #reopened = false;
  readonly #remember: (promised: readonly PageRange[]) => void;

  /**
   * @param promises the reservations of its places: those that a journal has, and where to note them
   * when they change.
   * @throws MemfileError EINVAL for a bad size; ENOMEM when the pool has no such reservation.
   */
  constructor(
    { name, pages, options, reopened }: FileSpec<HugetlbFileOptions>,
    order: number,
    pool: HugePagePool,
    changed: () => void,
    promises: Promises,
  ) {
    this.granule = 2 ** order;
    this.#name = name;
    this.#order = order;
    this.#pool = pool;
    this.#changed = changed;
    this.#remember = promises.remember;
    if (reopened === true) {
      this.#reopened = true;
      for (const { start, end } of promises.before) this.#promised.add(start, end);
      return;
    }
    this.#checkSize('createFile', pages);
    const { reserve = false } = options;
    if (typeof reserve !== 'boolean') {
      throw new MemfileError('EINVAL', 'createFile', 'reserve must be true or false');
    }
    const places = pages / this.granule;
    if (!reserve || places === 0) return;
    if (!pool.reserve(places)) {
      const why = `${places} huge pages to reserve, the pool has ${pool.available} left`;
      throw new MemfileError('ENOMEM', 'createFile', `"${name}": ${why}`);
    }
    this.#promised.add(0, places);
    this.#remember(this.#promised.ranges());
    changed();
  }

  /** A file of a journal: its frames are not in the pool, and its reservations are kept. */
  attach(_host: StoreHost, { frames, leased, quarantined }: AttachState): void {
    if (!this.#reopened) return;
    const { granule } = this;
    for (const { start, end, pfn } of frames) {
      this.#frames.set(start / granule, end / granule, pfn / granule);
    }
    const has = (frame: number): boolean =>
      this.#frames
        .runs()
        .some(({ start, end, value }) => frame >= value && frame < value + end - start);
    withhold(this.#pool, granule, { leased, quarantined: [...frames, ...quarantined] }, has);
    const used = this.#frames.ranges();
    let reserved = 0;
    for (const { start, end } of this.#promised.ranges()) {
      reserved += end - start;
      for (const page of used) {
        reserved -= Math.max(0, Math.min(end, page.end) - Math.max(start, page.start));
      }
    }
    if (reserved > 0) this.#pool.claimReserved(reserved);
  }

  /** Rounds out; what was added stays when the pool runs short, as in `hugetlbfs_fallocate`. */
  allocate(start: number, end: number): Allocation {
    const runs: { start: number; end: number; pfn: number }[] = [];
    const done = (error?: MemfileError): Allocation => {
      if (runs.length > 0) this.#changed();
      return error === undefined ? { runs } : { runs, error };
    };
    for (const hole of this.#holes(start, end)) {
      for (let place = hole.start; place < hole.end; place++) {
        const frame = this.#pool.take(this.#promised.has(place));
        if (frame === undefined) return done(this.#noSpace('the pool has none left'));
        this.#frames.set(place, place + 1, frame);
        const page = place * this.granule;
        const pfn = frame * this.granule;
        const last = runs.at(-1);
        const joins = last?.end === page && last.pfn + (page - last.start) === pfn;
        if (joins) last.end += this.granule;
        else runs.push({ start: page, end: page + this.granule, pfn });
      }
    }
    return done();
  }

  /**
   * Rounds in; the parts of huge pages at the ends stay, zeroed when they were punched, as in
   * `hugetlbfs_punch_hole`. Punching a page drops the reservation of its place, not that of a hole.
   */
  free(start: number, end: number, why: WhyFreed = 'punch'): readonly PageRange[] {
    const first = Math.ceil(start / this.granule);
    const last = Math.floor(end / this.granule);
    if (why === 'punch') {
      this.#zero(start, Math.min(end, first * this.granule));
      if (first <= last) this.#zero(last * this.granule, end);
    }
    if (first >= last) return [];
    let broken = 0;
    for (const { start: from, end: to, value } of this.#frames.runs(first, last)) {
      for (let place = from; place < to; place++) {
        const frame = value + (place - from);
        if (why === 'undo') this.#pool.undo(frame, this.#promised.has(place));
        else this.#pool.release(frame);
      }
      if (why !== 'undo') broken += this.#promised.delete(from, to);
    }
    this.#frames.delete(first, last);
    // What is promised still is of holes.
    if (why === 'end') {
      const unused = this.#promised.delete(first, last);
      this.#pool.unreserve(unused);
      broken += unused;
    }
    if (broken > 0) this.#remember(this.#promised.ranges());
    this.#changed();
    return [{ start: first * this.granule, end: last * this.granule }];
  }

  checkSize(pages: number): void {
    this.#checkSize('truncate', pages);
  }

  plan(start: number, end: number): MemfileError | undefined {
    let missing = 0;
    for (const hole of this.#holes(start, end)) {
      missing += hole.end - hole.start;
      for (const kept of this.#promised.ranges(hole.start, hole.end)) {
        missing -= kept.end - kept.start;
      }
    }
    const { available } = this.#pool;
    if (missing <= available) return undefined;
    return this.#noSpace(`${missing} are missing, the pool has ${available} left`);
  }

  convert(start: number, end: number, _to: Side, content: ContentMode): void {
    if (content === 'zero') this.#zero(start, end);
  }

  getLockPfn(offset: number): { pfn: number; order: number } {
    const place = Math.floor(offset / this.granule);
    const frame = this.#frames.get(place);
    if (frame < 0) {
      throw new MemfileError('ENOENT', 'getLockPfn', `page ${offset} of "${this.#name}"`);
    }
    this.#pool.reference(frame);
    return { pfn: frame * this.granule + (offset % this.granule), order: this.#order };
  }

  putUnlockPfn(pfn: number): void {
    if (!this.#pool.unreference(Math.floor(pfn / this.granule))) {
      throw new MemfileError('EINVAL', 'putUnlockPfn', `frame ${pfn} is not referenced`);
    }
    this.#changed();
  }

  bytes(pfn: number, order: number): Uint8Array {
    const frame = Math.floor(pfn / this.granule);
    const at = (pfn - frame * this.granule) * PAGE_SIZE;
    return this.#pool.bytes(frame).subarray(at, at + 2 ** order * PAGE_SIZE);
  }

  #checkSize(syscall: string, pages: number): void {
    if (pages % this.granule === 0) return;
    const why = `${pages} pages are no multiple of a huge page, which is ${this.granule} pages`;
    throw new MemfileError('EINVAL', syscall, `"${this.#name}": ${why}`);
  }

  /** The places without a page in a range of pages, rounded out. */
  #holes(start: number, end: number): PageRange[] {
    const { granule } = this;
    return this.#frames.holes(Math.floor(start / granule), Math.ceil(end / granule));
  }

  /** Zeroes what is there of a range of pages. */
  #zero(start: number, end: number): void {
    const { granule } = this;
    const places = this.#frames.runs(Math.floor(start / granule), Math.ceil(end / granule));
    for (const { start: first, end: last, value } of places) {
      for (let place = first; place < last; place++) {
        const base = place * granule;
        const from = (Math.max(start, base) - base) * PAGE_SIZE;
        const to = (Math.min(end, base + granule) - base) * PAGE_SIZE;
        this.#pool.zero(value + (place - first), from, to);
      }
    }
  }

  #noSpace(why: string): MemfileError {
    return new MemfileError('ENOSPC', 'fallocate', `huge pages of "${this.#name}": ${why}`);
  }
}
