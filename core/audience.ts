import type { Access } from './capabilities.js';
import type { Engine } from './engine.js';
import type { NotifierCallback } from './event.js';
import type { NotifierFunction, Participant } from './notifier.js';
import type { Pass } from './pass.js';
import type { Member, Seat } from './seat.js';

/** The callbacks of one type, or the observers in their place, and whose they are. */
interface Calls {
  readonly members: readonly Member[];
  readonly functions: readonly (NotifierFunction | undefined)[];
  readonly nexts: readonly Participant['next'][];
  readonly receivers: readonly object[];
}

/** Those whom an event concerns, oldest first, as they were when it was looked up. */
export class Audience<M extends Member = Member> {
  readonly seats: readonly Seat<M>[];
  /** Somebody has come, left, or got an observer. */
  stale = false;
  /** What was told once, and what of it was found when it was told again. */
  readonly #calls: { [Type in NotifierCallback]?: Calls | 'once' } | undefined;

  /** @param lasting whether it is told again and again, and all of them the same range. */
  constructor(seats: readonly Seat<M>[], lasting = false) {
    this.seats = seats;
    this.#calls = lasting && seats.every(isOneCall) ? {} : undefined;
  }

  get members(): M[] {
    return this.seats.map(({ member }) => member);
  }

  /** Tells all in the order of registration, but those that have access to `unless` alone. */
  tellOldestFirst(engine: Engine, pass: Pass, start: number, end: number, unless?: Access): void {
    engine.pass = pass;
    const calls = engine.witnessed ? undefined : this.#callsOf(pass);
    if (calls !== undefined) this.#call(calls, pass, start, end, 0, 1);
    else for (const seat of this.seats) tellOne(engine, seat, pass, start, end, unless);
    engine.pass = undefined;
  }

  /** As above, the newest registration first. */
  tellNewestFirst(engine: Engine, pass: Pass, start: number, end: number, unless?: Access): void {
    engine.pass = pass;
    const calls = engine.witnessed ? undefined : this.#callsOf(pass);
    const { seats } = this;
    if (calls !== undefined) this.#call(calls, pass, start, end, calls.functions.length - 1, -1);
    else {
      for (let i = seats.length - 1; i >= 0; i--) {
        tellOne(engine, seats[i]!, pass, start, end, unless);
      }
    }
    engine.pass = undefined;
  }

  /** What `tell` does, without a look at the member: a thousand of them do not fit into a cache. */
  #call(
    { members, functions, nexts, receivers }: Calls,
    pass: Pass,
    start: number,
    end: number,
    first: number,
    step: 1 | -1,
  ): void {
    pass.enterRow(members, start, end);
    for (let i = first; i >= 0 && i < functions.length; i += step) {
      if (this.stale) {
        members[i]!.tell(pass, start, end);
        continue;
      }
      pass.reach(i);
      try {
        const callback = functions[i];
        const receiver = receivers[i]!;
        const result =
          callback === undefined
            ? nexts[i]!.call(receiver, pass.notification())
            : callback.call(receiver, start, end, pass);
        if (result !== undefined) pass.holdIfThenable(result);
      } catch (error) {
        pass.fail(error);
      }
      pass.leave();
      if (this.stale) members[i]!.wasTold();
    }
  }

  #callsOf({ type }: Pass): Calls | undefined {
    const all = this.#calls;
    if (all === undefined || this.stale) return undefined;
    const calls = all[type];
    if (typeof calls === 'object') return calls;
    if (calls === 'once') return (all[type] = this.#resolve(type));
    all[type] = 'once';
    return undefined;
  }

  /** Whoever joins makes this stale, so these observers joined before what they are told began. */
  #resolve(type: NotifierCallback): Calls {
    const members: Member[] = [];
    const functions: (NotifierFunction | undefined)[] = [];
    const nexts: Participant['next'][] = [];
    const receivers: object[] = [];
    for (const seat of this.seats) {
      const callback = seat.callback(type);
      const { participant } = seat.member;
      if (callback === undefined && participant?.next === undefined) continue;
      members.push(seat.member);
      functions.push(callback);
      nexts.push(participant?.next);
      receivers.push(participant?.observer ?? seat.notifier);
    }
    return { members, functions, nexts, receivers };
  }
}

/** Whether a consumer is told by calling one function, its own or its observer's. */
function isOneCall(seat: Seat): boolean {
  const { access, participant } = seat.member;
  return seat.direct || (access === 'both' && seat.silent && participant !== undefined);
}

/** What `tell` of a member does, without a look at it where its seat says all there is to know. */
function tellOne(
  engine: Engine,
  seat: Seat,
  pass: Pass,
  from: number,
  to: number,
  unless: Access | undefined,
): void {
  const { member } = seat;
  if (!seat.direct || engine.witnessed) {
    if (member.access !== unless) member.tell(pass, from, to);
    return;
  }
  const callback = seat.callback(pass.type);
  if (callback === undefined) return;
  const start = from > seat.start ? from : seat.start;
  const end = to < seat.end ? to : seat.end;
  pass.enter(member, start, end);
  try {
    const result: unknown = callback.call(seat.notifier, start, end, pass);
    if (result !== undefined) pass.holdIfThenable(result);
  } catch (error) {
    pass.fail(error);
  }
  pass.leave();
  if (!seat.direct) member.wasTold();
}

/** Tells one consumer, unless it has left. */
export function tell(engine: Engine, member: Member, pass: Pass, start: number, end: number): void {
  engine.pass = pass;
  member.tell(pass, start, end);
  engine.pass = undefined;
}
