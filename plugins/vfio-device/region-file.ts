import {
  Extents,
  MemfileError,
  PAGE_SIZE,
  type Allocation,
  type AttachState,
  type PageRange,
  type PfnRun,
  type StoreFile,
  type StoreHost,
  type WhyFreed,
} from '../../core/index.js';
import { framesOf, type Bar } from './bar.js';

/** What a region needs to know of its device. */
export interface DeviceState {
  readonly revoked: boolean;
  /** The region can be told of what the device does from now on. */
  attached(file: RegionFile): void;
  /** It never will be again. */
  closed(file: RegionFile): void;
}

/** Parts of a BAR as a memory file. Its pages are all there, or all revoked. */
export class RegionFile implements StoreFile {
  readonly bar: Bar;
  /** The pages have no reference counts: a lease is good until they leave the next time. */
  generation = 0;
  readonly bytes?: (pfn: number, order: number) => Uint8Array;
  readonly #device: DeviceState;
  readonly #name: string;
  readonly #pages: number;
  readonly #parts: readonly PageRange[];
  readonly #frames = new Extents();
  /** Where the BAR was when its pages came. */
  #base = 0;
  #host: StoreHost | undefined;

  constructor(
    device: DeviceState,
    name: string,
    pages: number,
    bar: Bar,
    parts: readonly PageRange[],
  ) {
    this.#device = device;
    this.#name = name;
    this.#pages = pages;
    this.bar = bar;
    this.#parts = parts;
    const { contents } = bar;
    if (contents === undefined) return;
    this.bytes = (pfn, order) => {
      const at = (pfn - this.#base) * PAGE_SIZE;
      return contents.subarray(at, at + 2 ** order * PAGE_SIZE);
    };
  }

  attach(host: StoreHost, { frames }: AttachState): void {
    this.#host = host;
    for (const { start, end, pfn } of frames) {
      this.#frames.set(start, end, pfn);
      const [into] = framesOf(this.#parts, 0, { start, end: start + 1 });
      this.#base = pfn - into!.pfn;
    }
    this.#device.attached(this);
  }

  /** Whether it has pages that the device does not show, or not any more there. */
  get outdated(): boolean {
    if (this.#frames.pages === 0) return false;
    return this.#device.revoked || this.#base !== this.bar.pfn;
  }

  /** The device enables its memory. Nobody is told of pages that are there already. */
  async enable(): Promise<void> {
    await this.#host?.fallocate({ start: 0, end: this.#pages });
  }

  async revoke(): Promise<void> {
    await this.#host?.invalidate({ start: 0, end: this.#pages });
  }

  /** Whether it has any frame of `[start, end)`, wherever its BAR is by now. */
  hasFrames(start: number, end: number): boolean {
    return this.#frames
      .runs()
      .some((run) => run.value < end && start < run.value + (run.end - run.start));
  }

  allocate(start: number, end: number): Allocation {
    const added = new Extents();
    this.#base = this.bar.pfn;
    for (const run of framesOf(this.#parts, this.#base, { start, end })) {
      added.set(run.start, run.end, run.pfn);
      for (const leaked of this.#quarantined(run)) added.delete(leaked.start, leaked.end);
    }
    for (const there of this.#frames.ranges(start, end)) added.delete(there.start, there.end);
    const runs = added.runs().map(({ start, end, value }) => ({ start, end, pfn: value }));
    for (const { start, end, pfn } of runs) this.#frames.set(start, end, pfn);
    const missing = end - start - this.#pagesIn(start, end);
    if (missing === 0) return { runs };
    const why = `${missing} pages of "${this.#name}" have quarantined frames, and no others`;
    return { runs, error: new MemfileError('EIO', 'fallocate', why) };
  }

  free(start: number, end: number, why?: WhyFreed): void {
    if (this.#frames.delete(start, end) > 0) this.generation++;
    // It cannot be truncated, so this is its end.
    if (why === 'end' && start === 0) this.#device.closed(this);
  }

  /** The largest block around the page that is aligned, in the file and in the machine. */
  getLockPfn(offset: number): { pfn: number; order: number } {
    const pfn = this.#frames.get(offset);
    let order = 0;
    for (let pages = 2; pages <= this.#pages; pages *= 2) {
      const into = offset % pages;
      const start = offset - into;
      if ((pfn - into) % pages !== 0) break;
      const run = this.#frames.runs(start, start + pages)[0];
      if (run?.start !== start || run.end !== start + pages) break;
      order++;
    }
    return { pfn, order };
  }

  /** There is nothing to give back: the frames are the device's, whoever has leases. */
  putUnlockPfn(): void {}

  whyHole(offset: number): MemfileError | undefined {
    const refuse = (code: 'EINVAL' | 'ENODEV' | 'EIO', what: string): MemfileError =>
      new MemfileError(code, 'lookup', `page ${offset} of "${this.#name}" ${what}`);
    if (offset >= this.#pages) return refuse('EINVAL', `is past its ${this.#pages} pages`);
    if (this.#device.revoked) return refuse('ENODEV', 'is revoked');
    const [frame] = framesOf(this.#parts, this.bar.pfn, { start: offset, end: offset + 1 });
    if (this.#quarantined(frame!).length > 0) return refuse('EIO', 'has a quarantined frame');
    return undefined;
  }

  /** @throws MemfileError EINVAL: a BAR has its size. */
  checkSize(pages: number): void {
    if (pages === this.#pages) return;
    const what = `"${this.#name}" is ${this.#pages} pages of a device`;
    throw new MemfileError('EINVAL', 'truncate', what);
  }

  #pagesIn(start: number, end: number): number {
    return this.#frames.ranges(start, end).reduce((sum, range) => sum + range.end - range.start, 0);
  }

  /** The pages of a run whose frames were leaked on purpose. */
  #quarantined({ start, end, pfn }: PfnRun): PageRange[] {
    const leaked = this.#host?.quarantined() ?? [];
    return leaked.flatMap((bad) => {
      const first = Math.max(start, start + (bad.pfn - pfn));
      const last = Math.min(end, start + (bad.pfn - pfn) + (bad.end - bad.start));
      return first < last ? [{ start: first, end: last }] : [];
    });
  }
}
