import type { Lease, MemoryFile, NotifierEvent, PageRange, Side } from '../../../core/index.js';
import { PageSet } from '../../model/page-set.js';
import { overlap } from '../small.js';
import type { FrameLedger } from '../stores/frame-ledger.js';
import { Sides } from './sides.js';
import type { Call, Consumer } from './world-consumer.js';

/** A conversion that was refused late, and the lease that was in its way if there was one. */
interface Refusal extends PageRange {
  readonly file: number;
  readonly page: number | undefined;
  readonly holders: readonly string[];
}

/** Of a lease, which pages it pins. */
interface Pinned {
  readonly consumer: Consumer;
  readonly lease: Lease;
}

/** What a conversion needs of everybody else, seen where the store is asked for it. */
export class Conversions {
  readonly sides = new Sides();
  /** Those that did not take place after everybody had been told of them. */
  readonly refused: Refusal[] = [];
  /** By file, who was called to let go in the last conversion. */
  readonly #calls = new Map<number, Call[]>();
  readonly #ledger: FrameLedger;
  readonly #consumers: readonly Consumer[];
  readonly #leases: readonly Pinned[];

  constructor(ledger: FrameLedger, consumers: readonly Consumer[], leases: readonly Pinned[]) {
    this.#ledger = ledger;
    this.#consumers = consumers;
    this.#leases = leases;
  }

  /** The calls of one conversion of a page are those since the last one that overlaps it. */
  asked(call: Call): void {
    const { id } = call.consumer.file;
    const others = (this.#calls.get(id) ?? []).filter(
      (other) => other.position === call.position || !overlap(other, call),
    );
    this.#calls.set(id, [...others, call]);
  }

  /** Pages change sides: everybody who has them as they were has let go, and really so. */
  changing(id: number, range: PageRange, to: Side, position: number): string[] {
    const what = `[${range.start}, ${range.end}) of file ${id} became ${to}`;
    const found: string[] = [];
    for (const { file, name, access, place, left, range: own, open } of this.#consumers) {
      if (file.id !== id || access === to || place === undefined || left) continue;
      const mine = { start: Math.max(range.start, own.start), end: Math.min(range.end, own.end) };
      if (mine.start >= mine.end) continue;
      const told = open.some((one) => one.start === mine.start && one.end === mine.end);
      if (!told) found.push(`${name} was not told before ${what}`);
    }
    for (const call of this.#calls.get(id) ?? []) {
      if (!overlap(call, range) || (call.working === 0 && !call.failed)) continue;
      found.push(`${call.name} had not let go when ${what}`);
    }
    const held = this.#ledger.referenced(id, this.#changing(id, range, to));
    if (held !== undefined) found.push(`page ${held} was referenced when ${what}`);
    this.sides.changed(id, range.start, range.end, to, position);
    return found;
  }

  /** The first consumer of a file is told the end of a conversion: it has taken place, or not. */
  ended({ id }: MemoryFile, range: PageRange, { conversion }: NotifierEvent): void {
    if (conversion === undefined) return;
    const changing = this.#changing(id, range, conversion.to);
    if (changing.length === 0) return;
    this.refused.push({ file: id, ...range, ...this.#heldOf(id, changing) });
  }

  /** The first of these pages that a lease pins, and whose leases do. */
  #heldOf(id: number, pages: readonly PageRange[]): Pick<Refusal, 'page' | 'holders'> {
    const held = this.#leases.flatMap(({ consumer: { file, name }, lease }) => {
      if (file.id !== id || this.#ledger.frameOf(id, lease.offset) !== lease.pfn) return [];
      const size = 2 ** lease.order;
      const start = lease.offset - (lease.offset % size);
      const pinned = new PageSet();
      for (const range of pages) pinned.add(range.start, range.end);
      const [first] = pinned.within(start, start + size);
      return first === undefined ? [] : [{ name, page: first.start }];
    });
    if (held.length === 0) return { page: undefined, holders: [] };
    const page = Math.min(...held.map((one) => one.page));
    const names = held.filter((one) => one.page === page).map(({ name }) => name);
    return { page, holders: [...new Set(names)] };
  }

  /** What of a range is not yet of that side. */
  #changing(id: number, range: PageRange, to: Side): PageRange[] {
    return this.sides.within(id, range, to === 'private' ? 'shared' : 'private');
  }
}
