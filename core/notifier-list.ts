import { Audience, isDirect, type Member } from './audience.js';
import { MAX_PAGES, type PageRange } from './page-range.js';
import { RangeIndex, type Ranged } from './range-index.js';

/** A registration as its list sees it. */
export interface Listed extends Ranged, Member {
  /** Whether it is asked before pages arrive. */
  readonly votes: boolean;
  /** Where it stands among those of the whole file; the list's own. */
  place: number;
}

/**
 * The registrations of one memory file, by range.
 *
 * Those of the whole file stand in a plain array by age; the others in an index, so that a pass
 * costs what it overlaps and not how many there are.
 */
export class NotifierList<T extends Listed> {
  readonly #whole: (T | undefined)[] = [];
  #removed = 0;
  /** Those of `#whole` that are there, until that changes. */
  #everywhere: Audience<T> | undefined;
  readonly #ranged = new RangeIndex<T>();
  #voters = 0;

  get size(): number {
    return this.#whole.length - this.#removed + this.#ranged.size;
  }

  /** How many of them are asked before pages arrive. */
  get voters(): number {
    return this.#voters;
  }

  add(registration: T): void {
    if (registration.votes) this.#voters++;
    if (!isWhole(registration.range)) {
      this.#ranged.add(registration);
      return;
    }
    registration.place = this.#whole.length;
    this.#whole.push(registration);
    this.changed();
  }

  delete(registration: T): void {
    if (registration.votes) this.#voters--;
    if (!isWhole(registration.range)) {
      this.#ranged.delete(registration);
      return;
    }
    this.#whole[registration.place] = undefined;
    this.changed();
    this.#removed++;
    if (this.#removed * 2 <= this.#whole.length) return;
    let kept = 0;
    for (const other of this.#whole) {
      if (other === undefined) continue;
      other.place = kept;
      this.#whole[kept++] = other;
    }
    this.#whole.length = kept;
    this.#removed = 0;
  }

  /** Those of the whole file are others now, or have other observers. */
  changed(): void {
    if (this.#everywhere !== undefined) this.#everywhere.stale = true;
    this.#everywhere = undefined;
  }

  /**
   * Those that `[start, end)` concerns, in the order of registration, as of now: whoever leaves
   * meanwhile is still among them.
   */
  concerned(start = 0, end = Infinity): Audience<T> {
    this.#everywhere ??= everywhere(this.#whole);
    if (this.#ranged.size === 0) return this.#everywhere;
    const found = this.#ranged.overlapping(start, end);
    if (found.length === 0) return this.#everywhere;
    byAge(found);
    const { members } = this.#everywhere;
    return new Audience(members.length === 0 ? found : merged(members, found), false);
  }
}

function everywhere<T extends Listed>(whole: readonly (T | undefined)[]): Audience<T> {
  const members = whole.filter((registration) => registration !== undefined);
  return new Audience(members, members.every(isDirect));
}

/** Two lists by age as one. */
function merged<T extends Listed>(some: readonly T[], others: readonly T[]): T[] {
  const all: T[] = [];
  let at = 0;
  for (const one of some) {
    while (at < others.length && others[at]!.order < one.order) all.push(others[at++]!);
    all.push(one);
  }
  while (at < others.length) all.push(others[at++]!);
  return all;
}

/** A few are sorted faster by hand than by a call into the runtime. */
function byAge<T extends Listed>(found: T[]): void {
  if (found.length > 16) {
    found.sort((a, b) => a.order - b.order);
    return;
  }
  for (let i = 1; i < found.length; i++) {
    const moving = found[i]!;
    let at = i;
    for (; at > 0 && found[at - 1]!.order > moving.order; at--) found[at] = found[at - 1]!;
    found[at] = moving;
  }
}

function isWhole(range: PageRange): boolean {
  return range.start === 0 && range.end === MAX_PAGES;
}
