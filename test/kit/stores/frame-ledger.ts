import type { Allocation, PageRange, StoreFile } from '../../../core/index.js';
import { PageSet } from '../../model/page-set.js';
import type { Finding } from '../finding.js';

interface Worker {
  readonly name: string;
  /** Pieces of its work that are not over. */
  readonly working: number;
  /** It failed to let go, so nobody knows whether it has. */
  readonly failed: boolean;
}

/** The pages of one file, as its store handed them out. */
interface FileLedger {
  readonly id: number;
  readonly granule: number;
  /** Page to frame. */
  readonly frames: Map<number, number>;
  /** Pages that left, and have not come again. */
  readonly left: Set<number>;
}

/**
 * Where every frame is, as the store sees it, and who still may use it: an account of the laws at
 * the seam between the engine and a store, of which neither is asked.
 */
export class FrameLedger {
  readonly broken: Finding[] = [];
  /** References taken and not put. */
  readonly references = new Map<number, number>();
  readonly #files = new Map<number, FileLedger>();
  /** The page that has a frame, or had it last. */
  readonly #owners = new Map<number, { readonly file: number; readonly page: number }>();
  /** Whether referenced frames stay out of use; else they may come back to the page that they were. */
  readonly #counted: boolean;
  /** Consumers that were told that the page of a frame leaves. */
  readonly #told = new Map<number, Set<Worker>>();
  /** Frames with an error, that nobody may ever be given again. */
  readonly #poisoned = new Set<number>();

  constructor(counted: boolean) {
    this.#counted = counted;
  }

  opened(id: number, granule: number): void {
    this.#files.set(id, { id, granule, frames: new Map(), left: new Set() });
  }

  /** The range that the store may touch when it is asked for this one. */
  widened(file: number, { start, end }: PageRange): PageRange {
    const { granule } = this.#files.get(file)!;
    return {
      start: Math.floor(start / granule) * granule,
      end: Math.ceil(end / granule) * granule,
    };
  }

  frameOf(file: number, page: number): number | undefined {
    return this.#files.get(file)?.frames.get(page);
  }

  /** The pages of `[start, end)` that are there, and their frames. */
  framesIn(file: number, start: number, end: number): readonly (readonly [number, number])[] {
    const frames = [...(this.#files.get(file)?.frames ?? [])];
    return frames.filter(([page]) => page >= start && page < end);
  }

  /** How many pages of a file the store has. */
  pagesOf(file: number): number {
    return this.#files.get(file)?.frames.size ?? 0;
  }

  /** The pages of a file that are there, without those that have an error. */
  sound(file: number): PageSet {
    const pages = new PageSet();
    let run: { start: number; end: number } | undefined;
    for (const [page, frame] of this.#files.get(file)?.frames ?? []) {
      if (this.#poisoned.has(frame)) continue;
      if (run?.end === page) run.end++;
      else {
        if (run !== undefined) pages.add(run.start, run.end);
        run = { start: page, end: page + 1 };
      }
    }
    if (run !== undefined) pages.add(run.start, run.end);
    return pages;
  }

  /** The first of these pages of which the frame is referenced. */
  referenced(file: number, pages: readonly PageRange[]): number | undefined {
    if (this.references.size === 0) return undefined;
    for (const { start, end } of pages) {
      for (let page = start; page < end; page++) {
        const frame = this.frameOf(file, page);
        if (frame !== undefined && this.references.has(frame)) return page;
      }
    }
    return undefined;
  }

  poisoned(file: number, start: number, end: number): void {
    for (let page = start; page < end; page++) {
      const frame = this.frameOf(file, page);
      if (frame !== undefined) this.#poisoned.add(frame);
    }
  }

  isPoisoned(file: number, page: number): boolean {
    const frame = this.frameOf(file, page);
    return frame !== undefined && this.#poisoned.has(frame);
  }

  told(consumer: Worker, file: number, start: number, end: number): void {
    for (const [page, frame] of this.#files.get(file)!.frames) {
      if (page < start || page >= end) continue;
      const workers = this.#told.get(frame) ?? new Set();
      // The page had stayed: who failed to let go of it is asked once more.
      for (const other of workers) {
        if (other.name === consumer.name && other.working === 0) workers.delete(other);
      }
      this.#told.set(frame, workers.add(consumer));
    }
  }

  allocated(id: number, start: number, end: number, { runs, error }: Allocation): void {
    const file = this.#files.get(id)!;
    const asked = this.widened(id, { start, end });
    let at = asked.start;
    for (const run of runs) {
      const what = `allocate [${start}, ${end}) answers pages [${run.start}, ${run.end})`;
      if (run.start < at || run.end <= run.start || run.end > asked.end) {
        this.#breaks(7, `${what}, which are not sorted, disjoint and inside what was asked for`);
        return; // The engine believes none of it either.
      }
      if (!Number.isSafeInteger(run.pfn) || run.pfn < 0) {
        this.#breaks(11, `${what} with ${run.pfn}, which is no frame number`);
      }
      at = run.end;
      for (let page = run.start; page < run.end; page++) {
        this.#handedOut(file, page, run.pfn + (page - run.start));
      }
    }
    if (error !== undefined) return;
    for (let page = start; page < end; page++) {
      if (file.frames.has(page)) continue;
      if (file.left.has(page)) {
        this.#breaks(
          4,
          `page ${page} left the file, but the store gives it no frame again: free did not drop it`,
        );
      } else {
        this.#breaks(11, `allocate [${start}, ${end}) leaves page ${page} out and gives no error`);
      }
    }
  }

  /** A store that can plan knows before what becomes of an allocation. */
  planned(file: StoreFile, start: number, end: number, plan: unknown, failure: unknown): void {
    if (file.plan === undefined || (plan === undefined) === (failure === undefined)) return;
    const [planned, became] = [plan, failure].map((error) => String(error ?? 'that all goes well'));
    this.#breaks(11, `allocate [${start}, ${end}): plan says ${planned}, it became ${became}`);
  }

  freed(id: number, start: number, end: number, left: readonly PageRange[] | void): void {
    const file = this.#files.get(id)!;
    const asked = this.widened(id, { start, end });
    for (const gone of left ?? [{ start, end }]) {
      if (gone.start < asked.start || gone.end > asked.end) {
        const what = `free [${start}, ${end}) answers that [${gone.start}, ${gone.end}) left`;
        this.#breaks(4, `${what}, which it was not asked for`);
      }
      for (const page of file.frames.keys()) {
        if (page < gone.start || page >= gone.end) continue;
        file.frames.delete(page);
        file.left.add(page);
      }
    }
  }

  /** Pages left a file whose frames are not counted. */
  aged(file: number, before: unknown, after: unknown): void {
    if (this.#counted || before !== after) return;
    this.#breaks(9, `pages of file ${file} left, and its generation is ${String(after)} as before`);
  }

  got(id: number, page: number, { pfn, order }: ReturnType<StoreFile['getLockPfn']>): void {
    this.references.set(pfn, (this.references.get(pfn) ?? 0) + 1);
    const { frames } = this.#files.get(id)!;
    const known = frames.get(page);
    if (pfn !== known) {
      const why = 'it is the wrong one, or the page moved and nobody was told';
      this.#breaks(
        10,
        `page ${page} was given frame ${known}, but getLockPfn answers frame ${pfn}: ${why}`,
      );
      return;
    }
    const size = 2 ** order;
    const first = Math.floor(page / size) * size;
    const what = `getLockPfn of page ${page} answers frame ${pfn}, order ${order}`;
    if (!Number.isSafeInteger(size) || size < 1) this.#breaks(7, `${what}, which is no order`);
    else if (pfn % size !== page % size) {
      this.#breaks(7, `${what}, but the frame is not aligned as the page is`);
    } else {
      for (let other = first; other < first + size; other++) {
        if (frames.get(other) === pfn + (other - page)) continue;
        this.#breaks(
          7,
          `${what}, but page ${other} of that block is not frame ${pfn + (other - page)}`,
        );
        return;
      }
    }
  }

  put(pfn: number): void {
    const count = (this.references.get(pfn) ?? 0) - 1;
    if (count < 0) this.#breaks(9, `frame ${pfn} is put more often than it was taken`);
    if (count > 0) this.references.set(pfn, count);
    else this.references.delete(pfn);
  }

  /** The store threw where it may not, or something that is no MemfileError. */
  threw(law: number, what: string, error: unknown): void {
    this.#breaks(law, `${what} threw ${String(error)}`);
  }

  #handedOut({ id, frames, left }: FileLedger, page: number, frame: number): void {
    const where = `frame ${frame} is handed out for page ${page} of file ${id}`;
    if (frames.has(page)) this.#breaks(7, `${where}, which has frame ${frames.get(page)} already`);
    const owner = this.#owners.get(frame);
    if (owner !== undefined && this.frameOf(owner.file, owner.page) === frame) {
      this.#breaks(4, `${where} while it is page ${owner.page} of file ${owner.file}`);
    }
    if (this.#poisoned.has(frame)) this.#breaks(4, `${where}, and it is poisoned`);
    const leases = this.references.get(frame);
    const back = !this.#counted && owner?.file === id && owner.page === page;
    if (leases !== undefined && !back) {
      this.#breaks(9, `${where} while ${leases} references to it are out`);
    }
    for (const { name, working, failed } of this.#told.get(frame) ?? []) {
      if (working > 0 || failed) this.#breaks(4, `${where} and ${name} has not let go of it`);
    }
    this.#told.delete(frame);
    frames.set(page, frame);
    left.delete(page);
    this.#owners.set(frame, { file: id, page });
  }

  #breaks(law: number, detail: string): void {
    this.broken.push({ law, detail });
  }
}
