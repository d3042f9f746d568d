import type { Audience } from './audience.js';
import type { PageRange } from './page-range.js';
import type { Member } from './seat.js';

/** How many places of consumers there is room for in all stretches. */
const ROOM = 2 ** 16;

/**
 * The stretches of a file between two places where a range of somebody begins or ends: all that
 * happens within one concerns the same consumers, who are looked up once.
 */
export class Stretches<M extends Member> {
  readonly #bounds: Float64Array;
  /** For as many sections of one size as there are bounds, how many of these lie before each. */
  readonly #before: Int32Array;
  readonly #low: number;
  /** Sections a page. */
  readonly #scale: number;
  /** Of the stretch that ends at the bound of the same number, and of what is behind the last. */
  readonly #audiences: (Audience<M> | undefined)[] = [];
  readonly #known: Audience<M>[] = [];
  #room = ROOM;

  /** @param ranges of everybody who has one; there is one at least. */
  constructor(ranges: Iterable<PageRange>) {
    const bounds = new Set<number>();
    for (const { start, end } of ranges) bounds.add(start).add(end);
    const sorted = Float64Array.from(bounds).sort();
    const { length } = sorted;
    this.#bounds = sorted;
    this.#low = sorted[0]!;
    this.#scale = length > 1 ? (length - 1) / (sorted[length - 1]! - this.#low) : 0;
    this.#before = new Int32Array(length + 1);
    for (const bound of sorted) this.#before[this.#sectionOf(bound) + 1]!++;
    for (let i = 1; i <= length; i++) this.#before[i]! += this.#before[i - 1]!;
    for (let i = 0; i <= this.#bounds.length; i++) this.#audiences.push(undefined);
  }

  /** The number of the stretch that has all of `[start, end)`, or -1. */
  find(start: number, end: number): number {
    const bounds = this.#bounds;
    const { length } = bounds;
    const before = this.#before;
    const section = this.#sectionOf(start);
    let at = before[section]!;
    // Mostly one at most; of more, the same steps wherever it ends, as nobody foresees where.
    for (let left = before[section + 1]! - at; left > 0;) {
      const half = (left + 1) >>> 1;
      at += half * Number(bounds[at + half - 1]! <= start);
      left -= half;
    }
    return at < length && bounds[at]! < end ? -1 : at;
  }

  /** Where a page is among the sections; what is before all or behind them is in an outer one. */
  #sectionOf(page: number): number {
    const section = Math.floor((page - this.#low) * this.#scale);
    return Math.max(0, Math.min(section, this.#bounds.length - 1));
  }

  /** Who was set for the stretch that has all of `[start, end)`. */
  get(start: number, end: number): Audience<M> | undefined {
    const stretch = this.find(start, end);
    return stretch < 0 ? undefined : this.#audiences[stretch];
  }

  /** Whether there is room for one more. */
  get hasRoom(): boolean {
    return this.#room > 0;
  }

  set(stretch: number, audience: Audience<M>): void {
    this.#room -= audience.size;
    this.#audiences[stretch] = audience;
    this.#known.push(audience);
  }

  /** As above, of an audience that is somebody else's too. */
  share(stretch: number, audience: Audience<M>): void {
    this.#audiences[stretch] = audience;
  }

  /** Somebody has come, left, or got an observer. */
  outdate(): void {
    for (const audience of this.#known) audience.outdate();
  }
}
