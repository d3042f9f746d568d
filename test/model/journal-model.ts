import type { Recorded, StateSnapshot } from '../../core/index.js';
import { DeliveriesLedger } from './deliveries-ledger.js';
import { LAWS } from './laws.js';
import { FramesLedger, PagesLedger } from './pages-ledger.js';

/** A law that a journal breaks, and where. */
export interface JournalViolation {
  readonly law: number;
  readonly name: string;
  readonly position: number;
  readonly detail: string;
}

/** How many violations are kept; the others are counted. */
const KEPT = 100;

/**
 * A second opinion on a journal: reads its events one after the other and checks the laws by books
 * of its own. It shares no code with the core.
 */
export class JournalModel {
  readonly violations: JournalViolation[] = [];
  /** All of them, also those not kept. */
  count = 0;
  #position: number;
  readonly #frames = new Map<string, FramesLedger>();
  readonly #files = new Map<number, PagesLedger>();
  readonly #stores = new Map<number, string>();
  readonly #deliveries = new DeliveriesLedger();

  /** @param before the state before the first event that it will see, if that has position > 1. */
  constructor(before?: StateSnapshot) {
    this.#position = before?.position ?? 0;
    if (before !== undefined) this.#begin(before);
  }

  /** Operations that have begun and not ended, and registrations that are there. */
  get open(): number {
    let open = 0;
    for (const file of this.#files.values()) open += file.underWay;
    return open;
  }

  see(event: Recorded): void {
    if (event.position !== this.#position + 1) {
      this.#report(1, `comes after position ${this.#position}`);
    }
    this.#position = event.position;
    if (event.type === 'time' || event.type === 'plugin') return;
    if (event.type === 'open') {
      const files = [...this.#files.values()];
      const isOpen = (operation: number): boolean => files.some((file) => file.isOpen(operation));
      this.#deliveries.reopened(event.level !== 'state', isOpen);
      return;
    }
    if (event.type === 'createFile') {
      if (this.#stores.has(event.file)) this.#report(10, `file ${event.file} is there already`);
      this.#files.set(event.file, this.#pages(event.file, event.store));
      return;
    }
    const file = this.#files.get(event.file);
    if (file !== undefined) this.#happens(event, file);
    // What consumers of a file do outlives it.
    else if (event.type === 'put') this.#frame(event.file)?.put(event.pfn, this.#report);
    else if (event.type === 'answer') this.#deliveries.answered(event, this.#report);
    else if (event.type === 'grace') this.#deliveries.graceOver(event, this.#report);
    else if (event.type === 'unregister') this.#deliveries.unregister(event, this.#report);
    else if (event.type === 'evict') this.#deliveries.evicted(event);
    else if (event.type !== 'failure') this.#report(10, `of file ${event.file}, which is not open`);
  }

  #happens(
    event: Exclude<Recorded, { type: 'time' | 'plugin' | 'open' | 'createFile' }>,
    file: PagesLedger,
  ): void {
    const report = this.#report;
    const deliveries = this.#deliveries;
    switch (event.type) {
      case 'fallocate':
        file.arrive(event, report);
        deliveries.committed(event, report);
        break;
      case 'invalidate':
        file.begin(event, report);
        deliveries.committed(event, report);
        break;
      case 'invalidateEnd':
        file.end(event, report);
        deliveries.committed(event, report);
        break;
      case 'prepare':
        file.prepare(event, report);
        deliveries.committed(event, report);
        break;
      case 'rollback':
        file.rollBack(event, report);
        deliveries.committed(event, report);
        break;
      case 'usable':
      case 'error':
        deliveries.committed(event, report);
        break;
      case 'poison':
        file.poison(event);
        break;
      case 'kept':
        file.keep(event, report);
        break;
      case 'quarantine':
        file.quarantine(event, report);
        break;
      case 'lookup':
        file.lookUp(event, report);
        break;
      case 'put':
        file.put(event, report);
        break;
      case 'register':
        deliveries.register(event, report);
        break;
      case 'replay':
        deliveries.replayed(event);
        break;
      case 'delivery':
        deliveries.told(event, report);
        break;
      case 'answer':
        deliveries.answered(event, report);
        break;
      case 'evict':
        deliveries.evicted(event);
        break;
      case 'left':
        deliveries.leftAmid(event, report);
        break;
      case 'unregister':
        deliveries.unregister(event, report);
        break;
      case 'grace':
        deliveries.graceOver(event, report);
        break;
      case 'close':
        file.close(report);
        this.#files.delete(event.file);
        break;
      case 'convert':
        deliveries.converted(event);
        break;
      case 'resize':
      case 'seal':
      case 'failure':
        break;
      default:
        event satisfies never;
    }
  }

  readonly #report = (law: number, detail: string): void => {
    this.count++;
    if (this.violations.length >= KEPT) return;
    const name = LAWS[law]!;
    this.violations.push({ law, name, position: this.#position, detail });
  };

  #pages(file: number, store: string): PagesLedger {
    let frames = this.#frames.get(store);
    if (frames === undefined) this.#frames.set(store, (frames = new FramesLedger()));
    this.#stores.set(file, store);
    return new PagesLedger(store, frames);
  }

  #frame(file: number): FramesLedger | undefined {
    return this.#frames.get(this.#stores.get(file) ?? '');
  }

  #begin({ files, registrations, leases, quarantined }: StateSnapshot): void {
    const report = this.#report;
    for (const { id, store, frames, open, poisoned } of files) {
      const pages = this.#pages(id, store);
      this.#files.set(id, pages);
      const where = { file: id, operation: 0, reason: 'fallocate' } as const;
      for (const [start, end, pfn] of frames) {
        pages.arrive({ type: 'fallocate', ...where, start, end, pfn }, report);
      }
      for (const [start, end] of poisoned) pages.poison({ start, end });
      for (const { operation, start, end, reason, kept } of open) {
        const range = { file: id, operation, reason };
        pages.begin({ type: 'invalidate', ...range, start, end }, report);
        for (const [start, end] of kept) pages.keep({ type: 'kept', ...range, start, end }, report);
      }
    }
    for (const { id: registration, ...place } of registrations) {
      this.#deliveries.register({ registration, ...place }, report);
    }
    for (const { file, pfn, count } of leases) {
      for (let n = 0; n < count; n++) this.#frame(file)?.lease(pfn);
    }
    for (const { file, start, end, pfn } of quarantined) this.#frame(file)?.leak(pfn, end - start);
  }
}
