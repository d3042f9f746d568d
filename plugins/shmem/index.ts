import {
  Extents,
  MAX_PAGES,
  MemfileError,
  type Allocation,
  type AttachState,
  type BackingStore,
  type ContentMode,
  type FrameTable,
  type PageRange,
  type PfnRun,
  type Side,
  type StoreFile,
  type StoreHost,
  type TakenFrames,
} from '../../core/index.js';
import { brand } from '../../core/copy.js';
import { keepExemplar } from '../../core/exemplar.js';
import { FramePool } from './frame-pool.js';

export interface ShmemOptions {
  /** The largest range that one fallocate may ask for, in pages: `max_blocks` of the mount. */
  readonly maxPages?: number | undefined;
  /** How many pages all files together may have: the block quota. */
  readonly quota?: number | undefined;
}

/**
 * Anonymous shared memory, as mm/shmem.c: page frames with real contents, allocated on demand, one
 * pool for all files of this store.
 *
 * `fallocate` fails with ENOSPC before anything is allocated when the range is larger than
 * `maxPages`, and midway when the quota is hit: the pages of that call are taken back.
 */
export function shmem(options: ShmemOptions = {}): BackingStore<'shmem', object> {
  const { maxPages = MAX_PAGES, quota = MAX_PAGES } = options ?? {};
  checkPages('maxPages', maxPages);
  checkPages('quota', quota);
  keepExemplar('shmem', () => newStore(4, 4));
  return newStore(maxPages, quota);
}

function newStore(maxPages: number, quota: number): BackingStore<'shmem', object> {
  const pool = new FramePool(quota);
  return brand({
    name: 'shmem',
    capabilities: { conversions: ['unspecified', 'zero', 'preserve'] },
    createFile: ({ name }) => new ShmemFile(name, pool, maxPages),
    withhold: (taken) => withhold(pool, taken, []),
  });
}

function checkPages(name: string, pages: number): void {
  if (Number.isSafeInteger(pages) && pages >= 0) return;
  throw new MemfileError('EINVAL', 'shmem', `${name} must be a page count, got ${String(pages)}`);
}

/** Frames that a journal knows to be taken are not in the pool. */
function withhold(pool: FramePool, taken: TakenFrames, frames: readonly PfnRun[]): void {
  // Free at its last put is what no page has, and was not leaked on purpose.
  const kept = [...frames, ...taken.quarantined];
  const isKept = (frame: number): boolean =>
    kept.some(({ start, end, pfn }) => frame >= pfn && frame < pfn + (end - start));
  for (const { start, end, pfn } of kept) pool.claim(pfn, pfn + (end - start));
  for (const { pfn, count } of taken.leased) pool.claimReferenced(pfn, count, !isKept(pfn));
}

class ShmemFile implements StoreFile {
  readonly #name: string;
  readonly #pool: FramePool;
  readonly #maxPages: number;
  /** Its own, unless whoever attached it has one. */
  #frames: FrameTable = new Extents();

  constructor(name: string, pool: FramePool, maxPages: number) {
    this.#name = name;
    this.#pool = pool;
    this.#maxPages = maxPages;
  }

  attach(host: StoreHost, state: AttachState): void {
    const frames = host.frames?.(this);
    if (frames !== undefined) this.#frames = frames;
    else for (const { start, end, pfn } of state.frames) this.#frames.set(start, end, pfn);
    withhold(this.#pool, state, state.frames);
  }

  allocate(start: number, end: number): Allocation {
    if (end - start > this.#maxPages) throw this.#tooMany(end - start);
    if (this.#frames.count(start, end) > 0 || this.#pool.available <= 0) {
      return this.#fill(this.#frames.holes(start, end), []);
    }
    const run = this.#take(start, end);
    return run.end === end ? { runs: [run] } : this.#fill([{ start: run.end, end }], [run]);
  }

  /** Gives frames to holes, after `runs`. */
  #fill(holes: readonly PageRange[], runs: PfnRun[]): Allocation {
    for (const { start, end } of holes) {
      for (let page = start; page < end;) {
        if (this.#pool.available <= 0) {
          for (const run of runs) this.free(run.start, run.end);
          throw this.#noSpace('the quota is used up');
        }
        const run = this.#take(page, end);
        runs.push(run);
        page = run.end;
      }
    }
    return { runs };
  }

  /** As many frames for `[start, end)` as lie together; there are some. */
  #take(start: number, end: number): PfnRun {
    const { start: pfn, end: stop } = this.#pool.take(end - start);
    const run = { start, end: start + (stop - pfn), pfn };
    this.#frames.set(start, run.end, pfn);
    return run;
  }

  free(start: number, end: number): void {
    if (end - start === 1) {
      const pfn = this.#frames.get(start);
      if (pfn < 0) return;
      this.#frames.delete(start, end);
      this.#pool.release(pfn, pfn + 1);
      return;
    }
    const runs = this.#frames.runs(start, end);
    this.#frames.delete(start, end);
    for (const run of runs) this.#pool.release(run.value, run.value + (run.end - run.start));
  }

  plan(start: number, end: number): MemfileError | undefined {
    if (end - start > this.#maxPages) return this.#tooMany(end - start);
    const missing = this.#frames
      .holes(start, end)
      .reduce((sum, hole) => sum + hole.end - hole.start, 0);
    const { available } = this.#pool;
    if (missing <= available) return undefined;
    return this.#noSpace(`${missing} pages are missing, the quota has ${available} left`);
  }

  convert(start: number, end: number, _to: Side, content: ContentMode): void {
    if (content !== 'zero') return;
    for (const run of this.#frames.runs(start, end)) {
      this.#pool.zero(run.value, run.value + (run.end - run.start));
    }
  }

  getLockPfn(offset: number): { pfn: number; order: number } {
    const pfn = this.#frames.get(offset);
    if (pfn < 0) {
      throw new MemfileError('ENOENT', 'getLockPfn', `page ${offset} of "${this.#name}"`);
    }
    this.#pool.reference(pfn);
    return { pfn, order: 0 };
  }

  putUnlockPfn(pfn: number): void {
    if (this.#pool.unreference(pfn)) return;
    throw new MemfileError('EINVAL', 'putUnlockPfn', `frame ${pfn} is not referenced`);
  }

  bytes(pfn: number): Uint8Array {
    return this.#pool.bytes(pfn);
  }

  #tooMany(pages: number): MemfileError {
    return this.#noSpace(`${pages} pages asked for, the limit is ${this.#maxPages}`);
  }

  #noSpace(why: string): MemfileError {
    return new MemfileError('ENOSPC', 'fallocate', `"${this.#name}": ${why}`);
  }
}
