import {
  MemfileError,
  type Allocation,
  type BackingStore,
  type FileSpec,
  type PfnRun,
  type StoreFile,
} from '../../core/index.js';

/** The page of a file that a frame is, or was. */
export interface FrameOrigin {
  readonly file: number;
  readonly page: number;
}

/** Frames in a block that is looked up as one. */
const BLOCK = 512;

/**
 * A store that keeps the books for an oracle. No frame is ever handed out twice, so a translation
 * that outlives its page is known by its number. Aligned blocks that are whole have order 9.
 */
export class LedgerStore implements BackingStore<'ledger'> {
  readonly name = 'ledger';
  readonly broken: string[] = [];
  /** References taken and not put, by frame. */
  readonly references = new Map<number, number>();
  /** Every frame that was ever handed out. */
  readonly #origins = new Map<number, FrameOrigin>();
  readonly #files = new Map<number, Map<number, number>>();
  readonly #private = new Map<number, Set<number>>();
  /** Frames that have an error. */
  readonly poisoned = new Set<number>();
  #next = BLOCK;
  /** Called with the frames that are about to be free. */
  onFree: (frames: ReadonlySet<number>) => void = () => {};
  /** Called with the frames that are about to change sides. */
  onConvert: (frames: ReadonlySet<number>) => void = () => {};
  /** How often it refuses to convert from now on. */
  refusals = 0;

  /** The frame that a page of a file has now. */
  frameOf(file: number, page: number): number | undefined {
    return this.#files.get(file)?.get(page);
  }

  framesOf(file: number): ReadonlyMap<number, number> {
    return this.#files.get(file)!;
  }

  isPrivate(file: number, page: number): boolean {
    return this.#private.get(file)?.has(page) ?? false;
  }

  originOf(frame: number): FrameOrigin | undefined {
    return this.#origins.get(frame);
  }

  isLive(frame: number): boolean {
    const origin = this.#origins.get(frame);
    return origin !== undefined && this.frameOf(origin.file, origin.page) === frame;
  }

  /** How many pages a file has. */
  pagesOf(file: number): number {
    return this.#files.get(file)!.size;
  }

  createFile({ id }: FileSpec<object>): StoreFile {
    const frames = new Map<number, number>();
    this.#files.set(id, frames);
    const sides = new Set<number>();
    this.#private.set(id, sides);
    return {
      allocate: (start, end) => this.#allocate(id, frames, start, end),
      free: (start, end) => {
        const pages = [...frames.keys()].filter((page) => page >= start && page < end);
        const leaving = new Set(pages.map((page) => frames.get(page)!));
        for (const page of pages) frames.delete(page);
        this.onFree(leaving);
      },
      convert: (start, end, to) => {
        if (this.refusals > 0) {
          this.refusals--;
          throw new MemfileError('ENOMEM', 'convert', 'there is no room to note it down');
        }
        const changing = new Set<number>();
        for (let page = start; page < end; page++) {
          const frame = frames.get(page);
          if (sides.has(page) === (to === 'private')) continue;
          if (frame !== undefined) changing.add(frame);
        }
        for (const frame of changing) {
          if (!this.references.has(frame)) continue;
          this.broken.push(`I10: frame ${frame} changes sides while somebody holds it`);
        }
        this.onConvert(changing);
        for (let page = start; page < end; page++) {
          if (to === 'private') sides.add(page);
          else sides.delete(page);
        }
      },
      getLockPfn: (offset) => {
        const pfn = frames.get(offset)!;
        this.references.set(pfn, (this.references.get(pfn) ?? 0) + 1);
        return { pfn, order: isWhole(frames, offset - (offset % BLOCK)) ? 9 : 0 };
      },
      putUnlockPfn: (pfn) => {
        const count = (this.references.get(pfn) ?? 0) - 1;
        if (count < 0) this.broken.push(`I8: frame ${pfn} is put more often than it was taken`);
        if (count > 0) this.references.set(pfn, count);
        else this.references.delete(pfn);
      },
    };
  }

  #allocate(file: number, frames: Map<number, number>, start: number, end: number): Allocation {
    const runs: PfnRun[] = [];
    for (let page = start; page < end;) {
      if (frames.has(page)) {
        page++;
        continue;
      }
      // Aligned as the page is, in frames that nobody had.
      const pfn = this.#next + (page % BLOCK);
      const from = page;
      for (; page < end && !frames.has(page); page++) {
        const frame = pfn + (page - from);
        frames.set(page, frame);
        this.#origins.set(frame, { file, page });
      }
      runs.push({ start: from, end: page, pfn });
      this.#next += (Math.ceil((page - from + (from % BLOCK)) / BLOCK) + 1) * BLOCK;
    }
    return { runs };
  }
}

function isWhole(frames: ReadonlyMap<number, number>, block: number): boolean {
  const first = frames.get(block);
  if (first === undefined) return false;
  for (let i = 1; i < BLOCK; i++) if (frames.get(block + i) !== first + i) return false;
  return true;
}
