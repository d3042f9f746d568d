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
import type { ConsumerWitness, Witness } from '../witness.js';

export interface VmmMappingOptions {
  /** The pages of the file that are mapped; half-open. */
  readonly range: PageRange;
  readonly name?: string | undefined;
  readonly witness?: Witness | undefined;
}

const FAULT = { keepSize: true, reason: 'fault' } as const;
const NONE: readonly PageRange[] = [];

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
  async touch(start: number, end: number): Promise<void> {
    // A page that left again in between is tried anew: fallocate waits for whoever took it.
    for (let missing = this.#missing(start, end); missing.length > 0;) {
      for (const hole of missing) {
        this.#expectShared(hole);
        try {
          await this.file.fallocate(hole.start, hole.end, FAULT);
        } catch (error) {
          // The file has become shorter meanwhile: what is left of it is asked for again.
          if (!(error instanceof MemfileError) || error.code !== 'EFAULT') throw error;
        }
        for (const { start: from, end: to } of this.#mapped.ranges(hole.start, hole.end)) {
          for (let page = from; page < to; page++) this.#map(page);
        }
      }
      missing = this.#missing(start, end);
    }
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
    const inside = Math.min(end, this.file.pages);
    // What is translated is mapped: where that is as much, nothing is missing.
    if (this.#translations.count(start, inside) === this.#mapped.count(start, inside)) return NONE;
    const mapped = this.#mapped.ranges(start, inside);
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

  /** Translates one page, unless it is leaving or a hole again. */
  #map(page: number): void {
    const snapshot = this.#invalidations.snapshot();
    let lease;
    try {
      lease = this.#registration.lookup(page);
    } catch (error) {
      if (error instanceof MemfileError && error.code === 'ENOENT') return;
      throw error;
    }
    this.#witness?.lookedUp(lease);
    if (!this.#invalidations.retry(snapshot, page, page + 1))
      this.#translations.set(page, page + 1, lease.pfn);
    lease.put();
    this.#witness?.put(lease);
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
