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
  /** Of the stretch that ends at the bound of the same number, and of what is behind the last. */
  readonly #audiences: (Audience<M> | undefined)[] = [];
  readonly #known: Audience<M>[] = [];
  #room = ROOM;

  constructor(ranges: Iterable<PageRange>) {
    const bounds = new Set<number>();
    for (const { start, end } of ranges) bounds.add(start).add(end);
    this.#bounds = Float64Array.from(bounds).sort();
    for (let i = 0; i <= this.#bounds.length; i++) this.#audiences.push(undefined);
  }

  /** The number of the stretch that has all of `[start, end)`, or -1. */
  find(start: number, end: number): number {
    const bounds = this.#bounds;
    const { length } = bounds;
    let at = 0;
    // The same steps wherever it ends: nobody foresees where a loop would.
    for (let left = length; left > 0;) {
      const half = (left + 1) >>> 1;
      at += half * Number(bounds[at + half - 1]! <= start);
      left -= half;
    }
    return at < length && bounds[at]! < end ? -1 : at;
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
    this.#room -= audience.seats.length;
    this.#audiences[stretch] = audience;
    this.#known.push(audience);
  }

  /** Somebody has come, left, or got an observer. */
  outdate(): void {
    for (const audience of this.#known) audience.outdate();
  }
}
