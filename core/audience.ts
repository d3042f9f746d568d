import type { Access } from './capabilities.js';
import type { Engine } from './engine.js';
import type { NotifierCallback } from './event.js';
import type { Pass } from './pass.js';
import { Row } from './row.js';
import type { Member, Seat } from './seat.js';
import type { ToldEvent } from './told-event.js';

/** Those whom an event concerns, oldest first, as they were when it was looked up. */
export class Audience<M extends Member = Member> {
  readonly seats: readonly Seat<M>[];
  /** Whether each of them is told of every event, by a call that can be foreseen. */
  #foreseen: boolean;
  #told = 0;
  #leaving: Row<M> | undefined;
  #left: Row<M> | undefined;
  #arrived: Row<M> | undefined;
  readonly #patience: number;

  /**
   * @param lasting whether it is told again and again, and all of them the same range.
   * @param patience how often, before calls are compiled for it; never, by default.
   */
  constructor(seats: readonly Seat<M>[], lasting = false, patience = Infinity) {
    this.seats = seats;
    this.#patience = patience;
    this.#foreseen = lasting && seats.every(isOneCall);
  }

  get size(): number {
    return this.seats.length;
  }

  get members(): M[] {
    return this.seats.map(({ member }) => member);
  }

  /** Somebody has come, left, or got an observer; answers whether it was compiled in vain. */
  outdate(): boolean {
    this.#foreseen = false;
    let wasted = false;
    for (const row of [this.#leaving, this.#left, this.#arrived]) {
      if (row === undefined) continue;
      row.stale = true;
      wasted ||= row.wasted;
    }
    return wasted;
  }

  /** Tells all one after the other, but those that have access to `unless` alone. */
  tellEach(engine: Engine, pass: Pass, start: number, end: number, unless?: Access): void {
    tellSeats(this.seats, engine, pass, start, end, unless);
  }

  /** What tells all of such events at once; undefined where each has to be asked what it has. */
  rowOf(type: NotifierCallback): Row<M> | undefined {
    if (!this.#foreseen) return undefined;
    if (type === 'invalidate') return this.#leaving ?? this.#newRow(type);
    if (type === 'invalidateEnd') return this.#left ?? this.#newRow(type);
    return type === 'fallocate' ? (this.#arrived ?? this.#newRow(type)) : undefined;
  }

  /** For those who are told more than once; nobody gains by it before. */
  #newRow(type: 'invalidate' | 'invalidateEnd' | 'fallocate'): Row<M> | undefined {
    if (++this.#told <= FEW) return undefined;
    const seats = isNewestFirst(type) ? [...this.seats].reverse() : this.seats;
    const row = new Row(seats, type, this.#patience);
    if (type === 'invalidate') this.#leaving = row;
    else if (type === 'invalidateEnd') this.#left = row;
    else this.#arrived = row;
    return row;
  }
}

/** How often an audience is told before it is worth a row. */
const FEW = 2;

/** Whether a consumer is told by calling one function, its own or its observer's. */
function isOneCall(seat: Seat): boolean {
  const { access, participant } = seat.member;
  return seat.direct || (access === 'both' && seat.silent && participant !== undefined);
}

/** Tells all of those, one after the other, who are by age. */
export function tellSeats(
  seats: readonly Seat[],
  engine: Engine,
  pass: Pass,
  start: number,
  end: number,
  unless: Access | undefined,
): void {
  const { length } = seats;
  if (isNewestFirst(pass.event.type)) {
    for (let i = length - 1; i >= 0; i--) tellOne(engine, seats[i]!, pass, start, end, unless);
  } else for (let i = 0; i < length; i++) tellOne(engine, seats[i]!, pass, start, end, unless);
}

/** Who came last lets go first; of everything else the oldest registration hears first. */
export function isNewestFirst(type: NotifierCallback): boolean {
  return type === 'invalidate';
}

/** What `tell` of a member does, without a look at it where its seat says all there is to know. */
export function tellOne(
  engine: Engine,
  seat: Seat,
  pass: Pass,
  from: number,
  to: number,
  unless: Access | undefined,
): void {
  const { member } = seat;
  const { event } = pass;
  if (!seat.direct || engine.witnessed) {
    if (member.access !== unless) member.tell(pass, from, to);
    return;
  }
  const callback = seat.callback(event.type);
  if (callback === undefined) return;
  const start = from > seat.start ? from : seat.start;
  const end = to < seat.end ? to : seat.end;
  pass.enter(member, start, end);
  try {
    const result: unknown = callback.call(seat.notifier, start, end, event);
    if (result !== undefined) pass.holdIfThenable(result);
  } catch (error) {
    pass.fail(error);
  }
  pass.leave();
  if (!seat.direct) member.wasTold();
}

/** Tells one consumer, unless it has left. */
export function tell(
  { telling }: Engine,
  member: Member,
  event: ToldEvent,
  start: number,
  end: number,
): void {
  telling.begin(event);
  member.tell(telling, start, end);
  telling.end();
}
