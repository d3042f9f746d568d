import {
  MemfileError,
  type Access,
  type Lease,
  type MappingBudget,
  type MemoryFile,
  type Notification,
  type PageRange,
  type Registration,
  type Scheduler,
} from '../../core/index.js';
import { Invalidations } from '../invalidations.js';
import type { ConsumerWitness } from '../witness.js';
import { countEntries, joinRuns } from './entries.js';
import { findFrames, type Found } from './find-frames.js';
import type { InFlight } from './in-flight.js';
import type { IommuTable } from './iommu-table.js';
import { Pins } from './pins.js';

/** What an attachment needs of its device. */
export interface AttachmentHost {
  readonly name: string;
  readonly access: Access;
  readonly pins: boolean;
  readonly table: IommuTable;
  readonly inFlight: InFlight;
  readonly scheduler: Scheduler;
  /** Whether it is in RUN: only then it has anything mapped. */
  readonly running: boolean;
  /** Changes whenever everything is torn down. */
  readonly era: number;
  readonly attachments: readonly DeviceAttachment[];
  left(attachment: DeviceAttachment): void;
}

/** Which pages of a file a device has, and where. */
export interface Place {
  readonly range: PageRange;
  /** The I/O virtual pages that they are. */
  readonly window: PageRange;
}

/** Pages that are looked up and mapped at once. */
const SLICE = 512;

/** One memory file that a device has a window on: an RxJS observer of its pages. */
export class DeviceAttachment implements AsyncDisposable {
  readonly file: MemoryFile;
  /** The pages of the file. */
  readonly range: PageRange;
  /** The I/O virtual pages that they are. */
  readonly window: PageRange;
  /** How many events it was told of. */
  notifications = 0;
  /** How many mappings of pages those took away. */
  zappedPages = 0;
  /** How many pages were not mapped although they can be used, for want of room. */
  turnedAwayPages = 0;
  readonly #host: AttachmentHost;
  readonly #witness: ConsumerWitness | undefined;
  readonly #invalidations = new Invalidations();
  readonly #pins = new Pins((lease) => this.put(lease));
  /** Entries that were promised, by the first page of what was prepared. */
  readonly #promised = new Map<number, number>();
  #registration: Registration | undefined;
  /** What the core was told last that pages would cost. */
  #asked = 0;
  #leaving = false;
  #gone = false;

  private constructor(
    host: AttachmentHost,
    file: MemoryFile,
    { range, window }: Place,
    witness: ConsumerWitness | undefined,
  ) {
    this.#host = host;
    this.file = file;
    this.range = range;
    this.window = window;
    this.#witness = witness;
  }

  /** Registers, and maps what is there; rejects as `register` does. */
  static async create(
    host: AttachmentHost,
    file: MemoryFile,
    place: Place,
    witness: ConsumerWitness | undefined,
    joined: (attachment: DeviceAttachment) => void,
  ): Promise<DeviceAttachment> {
    const attachment = new DeviceAttachment(host, file, place, witness);
    const { name, access, pins } = host;
    await file.register(
      {},
      {
        name,
        access,
        range: place.range,
        votes: true,
        replay: true,
        follows: pins ? 'pinned' : 'movable',
        budget: attachment.#budget(),
        joined(registration) {
          attachment.#join(registration);
          joined(attachment);
        },
      },
    );
    return attachment;
  }

  /** Looks a page of the window up, by its I/O virtual number. */
  lookup(iova: number): Lease {
    const lease = this.#registration!.lookup(iova - this.#iova(0));
    this.#witness?.lookedUp(lease);
    return lease;
  }

  put(lease: Lease): void {
    lease.put();
    this.#witness?.put(lease);
  }

  /**
   * Maps what is there and can be used, on the device's own time: between lookup and map anything
   * may happen. Rejects with ENOSPC when there is no room for all of it.
   */
  async mapAll(): Promise<void> {
    const { file, range } = this;
    const { era, access } = this.#host;
    for (const there of file.populated(range.start, range.end, access)) {
      for (let start = there.start; start < there.end; start += SLICE) {
        const slice = { start, end: Math.min(start + SLICE, there.end) };
        const turnedAway = await this.#mapInTime(slice, era);
        if (turnedAway === 0) continue;
        const { limit } = this.#host.table;
        const detail = `"${file.name}" needs more than the ${limit} mappings there are`;
        throw new MemfileError('ENOSPC', 'start', detail);
      }
    }
  }

  /** Takes every mapping away; resolves when nothing uses them any more. */
  unmapAll(): Promise<unknown> | undefined {
    return this.#unmap(this.range, true).over;
  }

  /** Lets go of everything, and leaves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving = true;
    await this.unmapAll();
    const left = this.#registration?.unregister();
    this.#lost();
    await left;
  }

  #join(registration: Registration): void {
    this.#registration = registration;
    this.#witness?.registered(registration);
    const told = registration.subscribe((notification) => this.#told(notification));
    // At once, whether its file is closed, it is evicted, or it was refused what is there.
    told.add(() => this.#lost());
  }

  #told(told: Notification): void {
    if (told.type === 'snapshot') return;
    const { type, start, end } = told;
    this.notifications++;
    this.#witness?.told({ ...told, file: this.file }, start, end);
    switch (type) {
      case 'prepare':
        this.#prepare(told);
        return;
      case 'rollback':
        this.#promise(start, 0);
        return;
      case 'fallocate':
        this.#promise(start, 0);
        this.#map(told);
        return;
      case 'invalidate': {
        this.#invalidations.begin(start, end);
        // The pins stay in a conversion: if they are in its way, it does not take place.
        const { pages, over } = this.#unmap(told, told.reason !== 'convert');
        this.zappedPages += pages;
        if (over !== undefined) told.waitUntil(over);
        return;
      }
      case 'invalidateEnd':
        this.#invalidations.end();
        for (const kept of told.kept ?? []) this.#map(kept);
        this.#unpin(this.#iova(start), this.#iova(end));
        return;
      case 'error':
        return; // Its invalidation has taken the page away, and nothing was kept.
    }
  }

  #prepare({ start, end, reason, conversion }: Extract<Notification, { type: 'prepare' }>): void {
    const { name, access, pins, table } = this.#host;
    if (conversion === undefined || conversion.to === access) {
      if (reason !== 'replay') this.#promise(start, this.#asked);
      return;
    }
    if (!pins) return;
    const from = conversion.to === 'private' ? 'shared' : 'private';
    const page = this.file
      .populated(start, end, from)
      .flatMap((leaving) => table.ranges(this.#iova(leaving.start), this.#iova(leaving.end)))
      .map((mapped) => mapped.start - this.#iova(0))[0];
    if (page === undefined) return;
    this.#witness?.refused?.(start, end);
    throw new MemfileError('EAGAIN', 'prepare', `page ${page} is pinned for DMA`, {
      refused: { consumer: name, page, holders: [name] },
    });
  }

  /** Sets what is promised for pages from `start` on. */
  #promise(start: number, entries: number): void {
    this.#host.table.reserve(entries - (this.#promised.get(start) ?? 0));
    if (entries === 0) this.#promised.delete(start);
    else this.#promised.set(start, entries);
  }

  /** Maps pages that have just arrived or stayed: while it is told so, nothing can take them away. */
  #map(range: PageRange): void {
    if (!this.#maps) return;
    for (let start = range.start; start < range.end; start += SLICE) {
      const slice = { start, end: Math.min(start + SLICE, range.end) };
      this.turnedAwayPages += this.#enter(this.#find(slice));
    }
  }

  /** Answers how many pages there was no room for. */
  async #mapInTime(slice: PageRange, era: number): Promise<number> {
    const { name, scheduler, inFlight } = this.#host;
    const where = { start: this.#iova(slice.start), end: this.#iova(slice.end) };
    const attempt = async (snapshot: number): Promise<number | undefined> => {
      const found = this.#find(slice);
      await scheduler.schedule(`${name}: map [${slice.start}, ${slice.end})`);
      const stale = this.#invalidations.retry(snapshot, slice.start, slice.end);
      if (this.#maps && !stale) return this.#enter(found);
      for (const lease of found.leases) this.put(lease);
      return undefined;
    };
    while (this.#maps && this.#host.era === era) {
      const snapshot = this.#invalidations.snapshot();
      const turnedAway = await inFlight.track(where, attempt(snapshot));
      if (turnedAway !== undefined) return turnedAway;
      await this.#invalidations.moved(snapshot);
    }
    return 0;
  }

  get #maps(): boolean {
    return this.#host.running && !this.#leaving && this.#registration?.active !== false;
  }

  /** What is there now and not mapped. I/O virtual pages are as far from pages as `iova` says. */
  #find({ start, end }: PageRange): Found {
    const { table, pins } = this.#host;
    const shift = this.#iova(0);
    const holes = table
      .holes(start + shift, end + shift)
      .map((hole) => ({ start: hole.start - shift, end: hole.end - shift }));
    const lookup = (page: number): Lease => this.lookup(page + shift);
    return findFrames(holes, pins, lookup, (lease) => this.put(lease));
  }

  /** Maps what was found; answers how many pages there was no room for. */
  #enter({ runs, leases }: Found): number {
    const { table, pins } = this.#host;
    let turnedAway = 0;
    for (const run of joinRuns(runs)) {
      const shift = run.pfn - this.#iova(run.start);
      for (const { start, end } of table.holes(this.#iova(run.start), this.#iova(run.end))) {
        if (!table.map(start, end, start + shift)) turnedAway += end - start;
      }
    }
    for (const lease of leases) {
      const iova = this.#iova(lease.offset);
      if (pins && table.translate(iova) === lease.pfn) this.#pins.keep(iova, lease);
      else this.put(lease);
    }
    return turnedAway;
  }

  /** Unmaps pages; `over` when neither the IOTLB nor a DMA in flight uses them any more. */
  #unmap(range: PageRange, unpin: boolean): { pages: number; over: Promise<unknown> | undefined } {
    const { name, table, inFlight, scheduler } = this.#host;
    const told = { start: this.#iova(range.start), end: this.#iova(range.end) };
    const unmapped = table.unmap(told.start, told.end);
    if (unmapped.pages > 0) {
      const label = `${name}: flush [${unmapped.start}, ${unmapped.end})`;
      void inFlight.track(unmapped, scheduler.schedule(label));
    }
    const over = inFlight.over(unmapped);
    if (!this.#host.pins || over === undefined) return { pages: unmapped.pages, over };
    const release = (): void => {
      if (unpin) this.#unpin(told.start, told.end);
      // An entry reaches over windows that lie side by side, and so does the half that was dropped.
      for (const one of new Set([this, ...this.#host.attachments])) {
        one.#unpin(unmapped.start, told.start);
        one.#unpin(told.end, unmapped.end);
      }
    };
    return { pages: unmapped.pages, over: over.then(release) };
  }

  /** Puts the pins of I/O virtual pages that are not mapped any more. */
  #unpin(start: number, end: number): void {
    const { table } = this.#host;
    this.#pins.release(start, end, (page) => table.translate(page) >= 0);
  }

  /** However it came to leave: nothing more is told, so nothing may stay mapped. */
  #lost(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#leaving = true;
    this.#witness?.left();
    for (const start of this.#promised.keys()) this.#promise(start, 0);
    while (this.#invalidations.inProgress > 0) this.#invalidations.end();
    this.#unmap(this.range, true);
    this.#host.left(this);
  }

  #iova(page: number): number {
    return page - this.range.start + this.window.start;
  }

  #budget(): MappingBudget {
    const { table } = this.#host;
    return {
      limit: table.limit,
      get used() {
        return table.used;
      },
      cost: (pages) => (this.#asked = this.#maps ? countEntries(pages) : 0),
    };
  }
}
