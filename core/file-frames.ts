import type { FrameTable } from './backing-store.js';
import { Extents, type Extent } from './extents.js';
import { subtract, type PageRange } from './page-range.js';

/**
 * The frames that a store has given to a file: those that the journal knows, and those of pages that
 * are still on their way, because consumers are asked about them or the store has only just
 * allocated them.
 */
export class FileFrames implements FrameTable {
  readonly #arrived: Extents;
  readonly #coming = new Extents();
  /** The run set last, while nothing else is on its way: mostly it arrives at once. */
  #start = 0;
  #end = 0;
  #pfn = 0;

  constructor(arrived: Extents) {
    this.#arrived = arrived;
  }

  set(start: number, end: number, pfn: number): void {
    this.#keep();
    this.#start = start;
    this.#end = end;
    this.#pfn = pfn;
  }

  /** What has arrived is in the journal, and is there until that says that it has left. */
  delete(start: number, end: number): void {
    this.arrived(start, end);
  }

  /** Pages are in the journal from now on. */
  arrived(start: number, end: number): void {
    if (start === this.#start && end === this.#end) this.#end = this.#start = 0;
    else if (this.#isAny()) {
      this.#keep();
      this.#coming.delete(start, end);
    }
  }

  get(page: number): number {
    const frame = this.#arrived.get(page);
    if (frame >= 0 || !this.#isAny()) return frame;
    this.#keep();
    return this.#coming.get(page);
  }

  count(start: number, end: number): number {
    const arrived = this.#arrived.count(start, end);
    if (!this.#isAny()) return arrived;
    this.#keep();
    return arrived + this.#coming.count(start, end);
  }

  runs(start: number, end: number): readonly Extent[] {
    const arrived = this.#arrived.runs(start, end);
    if (!this.#isAny()) return arrived;
    this.#keep();
    return [...arrived, ...this.#coming.runs(start, end)].sort((a, b) => a.start - b.start);
  }

  holes(start: number, end: number): readonly PageRange[] {
    const holes = this.#arrived.holes(start, end);
    if (!this.#isAny()) return holes;
    this.#keep();
    return subtract(holes, this.#coming.ranges(start, end));
  }

  /** Whether anything is on its way. */
  #isAny(): boolean {
    return this.#end > 0 || this.#coming.pages > 0;
  }

  #keep(): void {
    if (this.#end > 0) this.#coming.set(this.#start, this.#end, this.#pfn);
    this.#end = this.#start = 0;
  }
}
