import type { Access } from './capabilities.js';
import { Audience, isNewestFirst, tellOne, tellSeats } from './audience.js';
import type { Engine } from './engine.js';
import type { Pass } from './pass.js';
import type { Row } from './row.js';
import type { Member, Seat } from './seat.js';

/**
 * A few whom an event concerns because of their ranges, among many who are told of all events: these
 * are told as they always are, in parts, with the others in between as their age has it.
 */
export class MixedAudience<M extends Member = Member> extends Audience<M> {
  readonly #everywhere: Audience<M>;

  /** @param found by age. */
  constructor(everywhere: Audience<M>, found: readonly Seat<M>[]) {
    super(found);
    this.#everywhere = everywhere;
  }

  override get size(): number {
    return this.seats.length + this.#everywhere.size;
  }

  override get members(): M[] {
    return this.#all().map(({ member }) => member);
  }

  override tellEach(engine: Engine, pass: Pass, start: number, end: number, unless?: Access): void {
    // Those in a row have access to both sides.
    const row = engine.witnessed ? undefined : this.#everywhere.rowOf(pass.event.type);
    if (row === undefined) tellSeats(this.#all(), engine, pass, start, end, unless);
    else this.#tellAmong(row, engine, pass, start, end, unless);
  }

  #tellAmong(
    row: Row<M>,
    engine: Engine,
    pass: Pass,
    start: number,
    end: number,
    unless: Access | undefined,
  ): void {
    const found = this.seats;
    const newestFirst = isNewestFirst(pass.event.type);
    row.begin();
    let next = 0;
    for (let i = 0; i < found.length; i++) {
      const seat = found[newestFirst ? found.length - 1 - i : i]!;
      const stop = row.before(seat.order, newestFirst);
      row.tellPart(next, stop, pass, start, end);
      tellOne(engine, seat, pass, start, end, unless);
      next = stop;
    }
    row.tellPart(next, row.length, pass, start, end);
  }

  #all(): Seat<M>[] {
    return merged(this.#everywhere.seats, this.seats);
  }
}

/** Two lists by age as one. */
export function merged<T extends { readonly order: number }>(
  some: readonly T[],
  others: readonly T[],
): T[] {
  const all: T[] = [];
  let at = 0;
  for (const one of some) {
    while (at < others.length && others[at]!.order < one.order) all.push(others[at++]!);
    all.push(one);
  }
  while (at < others.length) all.push(others[at++]!);
  return all;
}
