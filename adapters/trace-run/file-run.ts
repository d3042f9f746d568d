import {
  Extents,
  PAGE_SIZE,
  type MemfileState,
  type MemoryFile,
  type PageRange,
} from '../../core/index.js';
import type { VmmMapping } from '../vmm-mapping/index.js';

/** What became of one memory file of a trace; sizes in bytes. */
export interface FileReport {
  readonly id: number;
  readonly name: string;
  readonly hugetlb: boolean;
  /** The last size known. */
  readonly sizeBytes: number;
  /** That size, rounded up to whole pages of the store. */
  readonly roundedBytes: number;
  readonly allocatedBytes: number;
  readonly peakAllocatedBytes: number;
  /** Successful fallocate calls that punch, the sum of their lengths, and their union. */
  readonly punchCalls: number;
  readonly punchedBytes: number;
  readonly punchedUnionBytes: number;
  /** What of the file really left through those punches, and the same as often as it left. */
  readonly freedBytes: number;
  readonly freedSumBytes: number;
  /** Punches after which no consumer had a translation fewer. */
  readonly idlePunches: number;
  /** Successful fallocate calls that allocate. */
  readonly fallocateCalls: number;
  /** madvise(MADV_REMOVE), which punches through a mapping, counted apart. */
  readonly removeCalls: number;
  readonly removedBytes: number;
  /** Mapped, and punched, but too much at once to assume that all of it was touched. */
  readonly untouchedBytes: number;
}

/** One memory file of a trace while it runs, and the counts that its report is made of. */
export class FileRun {
  readonly file: MemoryFile;
  readonly hugetlb: boolean;
  sizeBytes = 0;
  punchCalls = 0;
  punchedBytes = 0;
  idlePunches = 0;
  fallocateCalls = 0;
  removeCalls = 0;
  removedBytes = 0;
  untouchedPages = 0;
  /** False until the trace says how large it is: it may have been there before. */
  sizeKnown: boolean;
  /** The mappings of it that are not gone. */
  readonly mappings = new Set<VmmMapping>();
  readonly #state: MemfileState;
  readonly #punched = new Extents();
  /** The pages that left through punches, as a set. */
  readonly #freed = new Extents();
  #freedPages = 0;
  #allocated = 0;
  #peak = 0;

  constructor(file: MemoryFile, hugetlb: boolean, state: MemfileState) {
    this.file = file;
    this.hugetlb = hugetlb;
    this.sizeKnown = !file.name.startsWith('/');
    this.#state = state;
  }

  /** The end of what is in the file: of its size, or of pages kept past it. */
  get limit(): number {
    return Math.max(this.file.pages, this.#state.files.get(this.file.id)?.frames.limit ?? 0);
  }

  /** How many pages the file has now. */
  get populatedPages(): number {
    return this.#state.files.get(this.file.id)?.frames.pages ?? 0;
  }

  /** So many bytes as 4 KiB pages, rounded up to whole pages of the store. */
  pagesOf(bytes: number): number {
    const { granule } = this.file;
    return Math.ceil(bytes / (granule * PAGE_SIZE)) * granule;
  }

  /** Takes note of how much is allocated. */
  measure(): void {
    this.#allocated = this.populatedPages;
    this.#peak = Math.max(this.#peak, this.#allocated);
  }

  /** A call that punched, and how many translations that took away. */
  punched(offset: number, length: number, zapped: number): void {
    this.punchCalls++;
    this.punchedBytes += length;
    addTo(this.#punched, offset, offset + length);
    if (zapped === 0) this.idlePunches++;
  }

  /** A call that punched through a mapping. */
  removed(length: number): void {
    this.removeCalls++;
    this.removedBytes += length;
  }

  /** What of these pages is not there any more. */
  gone(pages: readonly PageRange[]): readonly PageRange[] {
    const frames = this.#state.files.get(this.file.id)?.frames;
    if (frames === undefined || pages.every(({ start, end }) => frames.count(start, end) === 0)) {
      return pages; // Nearly always.
    }
    return pages.flatMap(({ start, end }) => frames.holes(start, end));
  }

  freed(pages: readonly PageRange[]): void {
    for (const { start, end } of pages) {
      this.#freedPages += end - start;
      addTo(this.#freed, start, end);
    }
  }

  report(): FileReport {
    const { file, hugetlb, sizeBytes, punchCalls, punchedBytes, idlePunches } = this;
    const { fallocateCalls, removeCalls, removedBytes } = this;
    return {
      id: file.id,
      name: file.name,
      hugetlb,
      sizeBytes,
      roundedBytes: this.pagesOf(sizeBytes) * PAGE_SIZE,
      allocatedBytes: this.#allocated * PAGE_SIZE,
      peakAllocatedBytes: this.#peak * PAGE_SIZE,
      punchCalls,
      punchedBytes,
      punchedUnionBytes: this.#punched.pages,
      freedBytes: this.#freed.pages * PAGE_SIZE,
      freedSumBytes: this.#freedPages * PAGE_SIZE,
      idlePunches,
      fallocateCalls,
      removeCalls,
      removedBytes,
      untouchedBytes: this.untouchedPages * PAGE_SIZE,
    };
  }
}

/** What is punched was mostly punched before. */
function addTo(set: Extents, start: number, end: number): void {
  if (set.firstHole(start, end) < end) set.add(start, end);
}
