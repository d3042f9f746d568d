import {
  Extents,
  MemfileError,
  type MemoryFile,
  type Notifier,
  type NotifierEvent,
  type PageRange,
  type Registration,
} from '../../core/index.js';
import { Invalidations } from '../invalidations.js';
import { KnownOver } from '../known-over.js';
import type { ConsumerWitness, Witness } from '../witness.js';

export interface VmmMappingOptions {
  /** The pages of the file that are mapped; half-open. */
  readonly range: PageRange;
  readonly name?: string | undefined;
  readonly witness?: Witness | undefined;
}

const FAULT = { keepSize: true, reason: 'fault' } as const;
const NONE: readonly PageRange[] = [];
const TOUCHED = Promise.resolve();
const allocations = new KnownOver();

/**
 * A shared mapping of a memory file in a process: translations that are made when a page is
 * touched and dropped when the file says that the page leaves.
 */
export class VmmMapping implements AsyncDisposable {
  readonly file: MemoryFile;
  readonly name: string;
  readonly range: PageRange;
  /** How many events it was told of. */
  notifications = 0;
  /** How many translations those took away. */
  zappedPages = 0;
  readonly #invalidations = new Invalidations();
  /** Page to frame. */
  readonly #translations = new Extents();
  /** What of the range is still mapped, as a set. */
  readonly #mapped = new Extents();
  readonly #witness: ConsumerWitness | undefined;
  #registration!: Registration;

  private constructor(file: MemoryFile, { range, name, witness }: VmmMappingOptions) {
    this.file = file;
    this.range = range;
    this.name = name ?? `mapping of ${file.name}`;
    this.#mapped.add(range.start, range.end);
    this.#witness = witness?.consumer(this.name, file);
  }

  /** Maps pages of the file; rejects as `register` does. */
  static async create(file: MemoryFile, options: VmmMappingOptions): Promise<VmmMapping> {
    const mapping = new VmmMapping(file, options);
    const { range } = options;
    const registration = await file.register(mapping.#notifier(), { range, access: 'shared' });
    mapping.#witness?.registered(registration);
    mapping.#registration = registration;
    void registration.closed.then(() => mapping.#lost());
    return mapping;
  }

  /** How many pages have a translation. */
  get residentPages(): number {
    return this.#translations.pages;
  }

  /** Whether any page of it is still mapped. */
  get mapped(): boolean {
    return this.#mapped.pages > 0;
  }

  /** The frame that a page is translated to, or -1. */
  translation(page: number): number {
    return this.#translations.get(page);
  }

  /**
   * Touches the mapped pages of `[start, end)` inside the file: holes are allocated first. Rejects
   * where the kernel sends SIGBUS: with EFAULT at the first private page, which it does not
   * allocate, EHWPOISON at a poisoned one.
   */
  touch(start: number, end: number): Promise<void> {
    try {
      return this.#touch(start, end);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #touch(start: number, end: number): Promise<void> {
    const snapshot = this.#invalidations.snapshot();
    let whole = true;
    for (const hole of this.#missing(start, end)) {
      this.#expectShared(hole);
      const allocated = this.file.fallocate(hole.start, hole.end, FAULT);
      if (!allocations.has(allocated)) return this.#touchAllocated(start, end, hole, allocated);
      if (!this.#translate(hole)) whole = false;
    }
    return whole ? TOUCHED : this.#touchAgain(start, end, snapshot);
  }

  /** Goes on when the hole is allocated. */
  async #touchAllocated(
    start: number,
    end: number,
    hole: PageRange,
    allocated: Promise<void>,
  ): Promise<void> {
    try {
      await allocations.wait(allocated);
    } catch (error) {
      // The file has become shorter meanwhile: what is left of it is asked for again.
      if (!(error instanceof MemfileError) || error.code !== 'EFAULT') throw error;
    }
    this.#translate(hole);
    await this.#touch(start, end);
  }

  /** Pages that left again in between are tried anew: fallocate waits for whoever took them. */
  async #touchAgain(start: number, end: number, snapshot: number): Promise<void> {
    await this.#invalidations.moved(snapshot);
    await this.#touch(start, end);
  }

  /** Forgets the translations of `[start, end)`, as MADV_DONTNEED: the file keeps its pages. */
  drop(start: number, end: number): void {
    this.#translations.delete(start, end);
  }

  /** Unmaps `[start, end)`; unregisters when nothing is left. */
  async unmap(start: number, end: number): Promise<void> {
    const unmapped = this.#mapped.delete(start, end);
    this.#translations.delete(start, end);
    if (unmapped > 0 && !this.mapped) await this.#leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unmap(this.range.start, this.range.end);
  }

  #expectShared({ start, end }: PageRange): void {
    const page = this.file.privatePages(start, end)[0]?.start;
    if (page === undefined) return;
    const what = `page ${page} of "${this.file.name}" is private`;
    throw new MemfileError('EFAULT', 'touch', what);
  }

  /** What of `[start, end)` is mapped, inside the file, and not translated. */
  #missing(start: number, end: number): readonly PageRange[] {
    const from = Math.max(start, this.range.start);
    const to = Math.min(end, this.range.end, this.file.pages);
    // What is translated is mapped: where all of it is, nothing is missing.
    if (from >= to || this.#translations.firstHole(from, to) === to) return NONE;
    const { start: first, end: last } = this.range;
    if (this.#mapped.pages === last - first) return this.#translations.holes(from, to);
    const mapped = this.#mapped.ranges(from, to);
    return mapped.flatMap((range) => this.#translations.holes(range.start, range.end));
  }

  /** However it came to leave: what is translated may be anything by now. */
  #lost(): void {
    this.drop(this.range.start, this.range.end);
    this.#witness?.left();
  }

  async #leave(): Promise<void> {
    const over = this.#registration.unregister();
    this.#witness?.left();
    await over;
  }

  /** Translates what is mapped of a range; false when some of it is leaving, or a hole again. */
  #translate({ start, end }: PageRange): boolean {
    if (this.#mapped.firstHole(start, end) === end) return this.#translateAll(start, end);
    const all = this.#mapped
      .ranges(start, end)
      .map((mapped) => this.#translateAll(mapped.start, mapped.end));
    return !all.includes(false);
  }

  #translateAll(start: number, end: number): boolean {
    // Nobody else has a turn before it is done: one snapshot does for all pages.
    const snapshot = this.#invalidations.snapshot();
    let all = true;
    let from = start;
    let first = -1;
    for (let page = start; page < end; page++) {
      let pfn = -1;
      try {
        pfn = this.#lookup(page);
      } catch (error) {
        this.#map(from, page, first, snapshot);
        throw error;
      }
      if (first >= 0 && pfn === first + (page - from)) continue;
      if (!this.#map(from, page, first, snapshot)) all = false;
      from = page;
      first = pfn;
    }
    return this.#map(from, end, first, snapshot) && all;
  }

  /** Translates pages to frames from `pfn` on, unless they are leaving or holes (-1). */
  #map(start: number, end: number, pfn: number, snapshot: number): boolean {
    if (start === end) return true;
    if (pfn < 0 || this.#invalidations.retry(snapshot, start, end)) return false;
    this.#translations.set(start, end, pfn);
    return true;
  }

  /** The frame of a page, or -1 for a hole. */
  #lookup(page: number): number {
    let lease;
    try {
      lease = this.#registration.lookup(page);
    } catch (error) {
      if (error instanceof MemfileError && error.code === 'ENOENT') return -1;
      throw error;
    }
    const { pfn } = lease;
    this.#witness?.lookedUp(lease);
    lease.put();
    this.#witness?.put(lease);
    return pfn;
  }

  #notifier(): Notifier {
    return {
      name: this.name,
      fallocate: (start: number, end: number, event: NotifierEvent) => {
        this.notifications++;
        this.#witness?.told(event, start, end);
      },
      error: (start: number, end: number, event: NotifierEvent) => {
        this.notifications++;
        this.#witness?.told(event, start, end);
      },
      invalidate: (start: number, end: number, event: NotifierEvent) => {
        this.notifications++;
        this.#witness?.told(event, start, end);
        this.#invalidations.begin(start, end);
        this.zappedPages += this.#translations.delete(start, end);
      },
      invalidateEnd: (start: number, end: number, event: NotifierEvent) => {
        this.notifications++;
        this.#witness?.told(event, start, end);
        this.#invalidations.end();
      },
    };
  }
}
