import type { Access } from './capabilities.js';
import { MAX_PAGES, type PageRange } from './page-range.js';
import type { Pass } from './pass.js';
import { RangeIndex, type Ranged } from './range-index.js';

/** A registration as its list sees it. */
export interface Listed extends Ranged {
  /** Still in the list. */
  readonly active: boolean;
  /** Which pages are its business. */
  readonly access: Access;
  /** Where it stands among those of the whole file; the list's own. */
  place: number;
  /** Tells it of `[start, end)` of the pass, which is within its range. */
  tell(pass: Pass, start: number, end: number): void;
}

/**
 * The registrations of one memory file, by range.
 *
 * Those of the whole file stand in a plain array by age; the others in an index, so that a pass
 * costs what it overlaps and not how many there are.
 */
export class NotifierList<T extends Listed> {
  #whole: (T | undefined)[] = [];
  #removed = 0;
  readonly #ranged = new RangeIndex<T>();

  get size(): number {
    return this.#whole.length - this.#removed + this.#ranged.size;
  }

  add(registration: T): void {
    if (isWhole(registration.range)) {
      registration.place = this.#whole.length;
      this.#whole.push(registration);
    } else this.#ranged.add(registration);
  }

  delete(registration: T): void {
    if (!isWhole(registration.range)) {
      this.#ranged.delete(registration);
      return;
    }
    this.#whole[registration.place] = undefined;
    this.#removed++;
    if (this.#removed * 2 <= this.#whole.length) return;
    const rest = this.#whole.filter((other) => other !== undefined);
    for (const [place, other] of rest.entries()) other.place = place;
    this.#whole = rest;
    this.#removed = 0;
  }

  /** Those that `[start, end)` concerns, in the order of registration. */
  concerned(start = 0, end = Infinity): T[] {
    const found: T[] = [];
    if (this.#ranged.size > 0) this.#ranged.collect(start, end, found);
    const ranged = found.length;
    for (const registration of this.#whole)
      if (registration !== undefined) found.push(registration);
    if (ranged > 0) found.sort((a, b) => a.order - b.order);
    return found;
  }

  /** Tells those with one of these kinds of access, in the order of registration. */
  tellArrival(pass: Pass, start: number, end: number, ...accesses: readonly Access[]): void {
    for (const registration of this.concerned(start, end)) {
      if (accesses.includes(registration.access)) tell(registration, pass, start, end);
    }
  }

  /**
   * Tells the newest registration first, apart from those that have access to one side alone;
   * `told` gets those told, as they are told.
   */
  tellDeparture(pass: Pass, start: number, end: number, told: T[], unless?: Access): void {
    const concerned = this.concerned(start, end);
    for (let i = concerned.length - 1; i >= 0; i--) {
      const registration = concerned[i]!;
      if (!registration.active || registration.access === unless) continue;
      told.push(registration);
      tell(registration, pass, start, end);
    }
  }
}

/** Tells a registration of what of `[start, end)` is its own, unless it has left meanwhile. */
export function tell(registration: Listed, pass: Pass, start: number, end: number): void {
  if (!registration.active) return;
  const { range } = registration;
  registration.tell(pass, Math.max(start, range.start), Math.min(end, range.end));
}

function isWhole(range: PageRange): boolean {
  return range.start === 0 && range.end === MAX_PAGES;
}
