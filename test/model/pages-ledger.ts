import type { JournalEvent } from '../../core/index.js';
import { FrameSet } from './frame-set.js';
import { PageRuns } from './page-runs.js';
import { PageSet } from './page-set.js';

type Report = (law: number, detail: string) => void;
type EventOf<Type extends JournalEvent['type']> = Extract<JournalEvent, { readonly type: Type }>;
interface Range {
  readonly start: number;
  readonly end: number;
}

/** An invalidation that has begun and not ended. */
interface Open extends Range {
  readonly operation: number;
  kept: PageSet | undefined;
}

/** The frames of one store: each is in use by one page at most, leased, leaked, or free. */
export class FramesLedger {
  readonly #used = new FrameSet();
  readonly #leaked = new FrameSet();
  readonly #leased = new FrameSet();
  /** How many leases are out of a frame of which there is more than one. */
  readonly #counts = new Map<number, number>();

  take(pfn: number, pages: number, report: Report): void {
    const end = pfn + pages;
    const bad = (law: number, why: string): void =>
      report(law, `frames [${pfn}, ${end}) are handed out${why}`);
    if (this.#used.add(pfn, end)) bad(4, ' while a page still has one');
    if (this.#leaked.touches(pfn, end)) bad(4, ', of which one is quarantined');
    if (!this.#leased.touches(pfn, end)) return;
    for (let frame = pfn; frame < end; frame++) {
      if (this.#leased.has(frame)) bad(9, ` while ${frame} is leased`);
    }
  }

  leave(pfn: number, pages: number): void {
    this.#used.remove(pfn, pfn + pages);
  }

  leak(pfn: number, pages: number): void {
    this.#leaked.add(pfn, pfn + pages);
  }

  /** Whether none of these frames will be used again. */
  areLeaked(pfn: number, pages: number): boolean {
    return this.#leaked.covers(pfn, pfn + pages);
  }

  lease(pfn: number): void {
    if (this.#leased.add(pfn, pfn + 1)) this.#counts.set(pfn, (this.#counts.get(pfn) ?? 1) + 1);
  }

  put(pfn: number, report: Report): void {
    const count = this.#counts.get(pfn) ?? 1;
    if (count > 2) this.#counts.set(pfn, count - 1);
    else if (count === 2) this.#counts.delete(pfn);
    else if (this.#leased.has(pfn)) this.#leased.remove(pfn, pfn + 1);
    else report(9, `frame ${pfn} is put, of which no lease is out`);
  }
}

/** The pages of one file, as the events of its operations have it. */
export class PagesLedger {
  readonly store: string;
  readonly #frames: FramesLedger;
  readonly #pages = new PageRuns();
  /** Invalidations, as they began: few, as a rule. */
  readonly #open: Open[] = [];
  /** By operation. */
  readonly #prepared = new Map<number, PageSet>();
  readonly #poisoned = new PageSet();

  constructor(store: string, frames: FramesLedger) {
    this.store = store;
    this.#frames = frames;
  }

  /** How many operations have begun and not ended. */
  get underWay(): number {
    return this.#open.length + this.#prepared.size;
  }

  /** Whether an invalidation has begun and not ended. */
  isOpen(operation: number): boolean {
    return this.#find(operation) >= 0;
  }

  arrive({ operation, start, end, pfn }: EventOf<'fallocate'>, report: Report): void {
    this.#alone(operation, start, end, report);
    if (this.#pages.add(start, end, pfn)) report(5, 'pages arrive that are there already');
    const prepared = this.#prepared.size === 0 ? undefined : this.#prepared.get(operation);
    if (prepared !== undefined) {
      prepared.remove(start, end);
      if (prepared.within(0, Infinity).length === 0) this.#prepared.delete(operation);
    }
    this.#frames.take(pfn, end - start, report);
  }

  begin({ operation, start, end }: EventOf<'invalidate'>, report: Report): void {
    this.#alone(operation, start, end, report);
    const twice = this.#ended(operation) !== undefined;
    if (twice) report(3, `operation ${operation} begins a second time`);
    this.#open.push({ operation, start, end, kept: undefined });
  }

  keep({ operation, start, end }: EventOf<'kept'>, report: Report): void {
    const open = this.#open[this.#find(operation)];
    if (open === undefined) report(3, 'pages stay in an invalidation that is not open');
    else (open.kept ??= new PageSet()).add(start, end);
  }

  end({ operation, start, end, reason }: EventOf<'invalidateEnd'>, report: Report): void {
    const open = this.#ended(operation);
    if (open === undefined) report(3, `operation ${operation} ends, which is not open`);
    else if (open.start !== start || open.end !== end) {
      report(3, `[${open.start}, ${open.end}) was begun`);
    }
    if (reason === 'convert' || reason === 'poison') return; // The pages stay.
    let from = start;
    for (const kept of open?.kept?.within(start, end) ?? []) {
      this.#leave(from, kept.start, report);
      from = kept.end;
    }
    this.#leave(from, end, report);
  }

  quarantine({ start, end, pfn }: EventOf<'quarantine'>, report: Report): void {
    this.#pages.visit(start, end, (page, _to, frame) => {
      if (frame !== pfn + (page - start)) report(4, `page ${page} has frame ${frame}`);
    });
    this.#frames.leak(pfn, end - start);
  }

  prepare({ operation, start, end, reason }: EventOf<'prepare'>, report: Report): void {
    if (reason === 'convert') return; // Nothing arrives.
    this.#alone(operation, start, end, report);
    if (this.#pages.touches(start, end)) report(8, 'pages are asked about that are there');
    let prepared = this.#prepared.get(operation);
    if (prepared === undefined) this.#prepared.set(operation, (prepared = new PageSet()));
    if (prepared.touches(start, end)) report(8, 'pages are asked about twice');
    prepared.add(start, end);
  }

  rollBack({ operation, start, end, reason }: EventOf<'rollback'>, report: Report): void {
    if (reason === 'convert') return;
    const prepared = this.#prepared.get(operation);
    if (prepared?.covers(start, end) !== true) report(8, 'what is undone was never asked about');
    prepared?.remove(start, end);
    if (prepared?.within(0, Infinity).length === 0) this.#prepared.delete(operation);
  }

  poison({ start, end }: Range): void {
    this.#poisoned.add(start, end);
  }

  lookUp({ offset, pfn }: EventOf<'lookup'>, report: Report): void {
    const frame = this.#pages.get(offset);
    if (frame !== pfn) report(9, `page ${offset} has frame ${frame}, and ${pfn} is leased`);
    this.#frames.lease(pfn);
  }

  put({ pfn }: EventOf<'put'>, report: Report): void {
    this.#frames.put(pfn, report);
  }

  close(report: Report): void {
    if (this.underWay > 0) report(3, 'the file closes amid an operation');
    this.#leave(0, Infinity); // What its store would not free is no longer the page of a file.
  }

  /** Nobody else is at work on these pages. */
  #alone(operation: number, start: number, end: number, report: Report): void {
    for (const other of this.#open) {
      if (other.operation === operation || other.end <= start || end <= other.start) continue;
      report(1, `amid operation ${other.operation} on [${other.start}, ${other.end})`);
    }
  }

  #find(operation: number): number {
    return this.#open.findIndex((open) => open.operation === operation);
  }

  #ended(operation: number): Open | undefined {
    const at = this.#find(operation);
    if (at < 0) return undefined;
    const open = this.#open[at];
    const last = this.#open.pop()!;
    if (last !== open) this.#open[at] = last;
    return open;
  }

  #leave(start: number, end: number, report?: Report): void {
    if (start >= end) return;
    this.#pages.remove(start, end, (from, to, frame) => {
      this.#frames.leave(frame, to - from);
      if (this.#poisoned.empty) return;
      for (const bad of this.#poisoned.within(from, to)) {
        const pfn = frame + (bad.start - from);
        if (this.#frames.areLeaked(pfn, bad.end - bad.start)) continue;
        report?.(4, `frames [${pfn}, ${pfn + bad.end - bad.start}) are poisoned, and not leaked`);
      }
    });
    if (!this.#poisoned.empty) this.#poisoned.remove(start, end);
  }
}
