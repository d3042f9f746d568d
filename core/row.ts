import type { Notification, NotifierCallback } from './event.js';
import type { Pass } from './pass.js';
import { compileCalls, STRETCH, type Call, type Calls } from './row-calls.js';
import type { Member, Seat } from './seat.js';

/** No more stretches than that are compiled: code takes far more room and time than a consumer. */
const MOST = 40;

/** Of observers fewer, as each is told of events of every type, by code for each. */
const MOST_OBSERVERS = 8;

/** What was compiled has paid when it was of use for so many times the patience. */
const PAID = 16;

/**
 * Consumers that are told the same pages one after the other, each by calling one function: its
 * callback, or its observer's `next`. It holds for as long as nobody comes or leaves.
 */
export class Row<M extends Member = Member> {
  /** Whether each has to be asked what it has, from the next one on; whoever did that touched the pass. */
  stale = false;
  readonly #members: readonly M[];
  /** How old each of them is. */
  readonly #orders: readonly number[];
  readonly #calls: readonly Call[];
  /** Those that tell a stretch of it each, from the first on. */
  readonly #compiled: Calls[] = [];
  readonly #patience: number;
  #told = 0;

  /**
   * @param seats in the order in which they are told.
   * @param patience how often it is told before calls of its own are compiled.
   */
  constructor(seats: readonly Seat<M>[], type: NotifierCallback, patience: number) {
    this.#patience = patience;
    const members: M[] = [];
    const orders: number[] = [];
    const calls: Call[] = [];
    for (const seat of seats) {
      const call = callOf(seat, type);
      if (call === undefined) continue;
      members.push(seat.member);
      orders.push(seat.order);
      calls.push(call);
    }
    this.#members = members;
    this.#orders = orders;
    this.#calls = calls;
  }

  /** Whether nobody wants to hear of such events. */
  get isEmpty(): boolean {
    return this.#calls.length === 0;
  }

  /** Whether it was compiled and not told often enough since. */
  get wasted(): boolean {
    return this.#compiled.length > 0 && this.#told < PAID * this.#patience;
  }

  get length(): number {
    return this.#calls.length;
  }

  tell(pass: Pass, start: number, end: number): void {
    this.begin();
    this.tellPart(0, this.length, pass, start, end);
  }

  /** An event is about to be told, be it in parts. */
  begin(): void {
    if (++this.#told > this.#patience && this.#isWorthwhile()) this.#compile();
  }

  /** How many of them are older than `order`, or younger if that is how they are told. */
  before(order: number, newestFirst: boolean): number {
    const orders = this.#orders;
    let low = 0;
    for (let high = orders.length; low < high;) {
      const middle = (low + high) >>> 1;
      if (newestFirst ? orders[middle]! > order : orders[middle]! < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Tells those that are `[from, stop)`. */
  tellPart(from: number, stop: number, pass: Pass, start: number, end: number): void {
    let next = from;
    if (!this.stale && from < stop) {
      pass.enterRow(this.#members, start, end);
      next =
        this.#compiled.length > 0
          ? this.#tellCompiled(stop, from, pass, start, end)
          : this.#tellTo(stop, from, pass, start, end);
      pass.leave();
      // Whoever was told last may be gone since.
      if (this.stale) this.#members[next - 1]!.wasTold();
    }
    // Nobody can be foreseen any more.
    for (; next < stop; next++) this.#members[next]!.tell(pass, start, end);
  }

  #tellCompiled(stop: number, from: number, pass: Pass, start: number, end: number): number {
    const compiled = this.#compiled;
    let next = from;
    while (next < stop && !this.stale) {
      const stretch = Math.floor(next / STRETCH);
      const over = Math.min((stretch + 1) * STRETCH, this.length);
      if (stretch >= compiled.length) next = this.#tellTo(stop, next, pass, start, end);
      else if (next % STRETCH === 0 && over <= stop)
        next = compiled[stretch]!(this, pass, pass.event, start, end);
      else next = this.#tellTo(Math.min(over, stop), next, pass, start, end);
    }
    return next;
  }

  /** What compiled calls do as well: answers which is next, short of `stop` once it is stale. */
  #tellTo(stop: number, next: number, pass: Pass, start: number, end: number): number {
    const calls = this.#calls;
    const { event } = pass;
    let told: Notification | undefined;
    for (; next < stop; next++) {
      pass.at = next;
      const { observer, call, receiver } = calls[next]!;
      try {
        const result = observer
          ? call.call(receiver, (told ??= pass.notification()))
          : call.call(receiver, start, end, event);
        if ((result !== undefined || pass.touched) && this.answered(pass, result)) return next + 1;
      } catch (error) {
        this.failed(pass, error);
        if (this.stale) return next + 1;
      }
    }
    return next;
  }

  /** Whoever was told last answered something or has touched the pass; whether the row is stale. */
  answered(pass: Pass, result: unknown): boolean {
    if (result !== undefined) pass.holdIfThenable(result);
    if (pass.touched) pass.settle();
    return this.stale;
  }

  /** Whoever was told last has failed; answers who is next. */
  failed(pass: Pass, error: unknown): number {
    pass.fail(error);
    if (pass.touched) pass.settle();
    return pass.at + 1;
  }

  /** Whether there is a stretch that can be compiled yet. */
  #isWorthwhile(): boolean {
    const { length } = this.#compiled;
    const first = this.#calls[length * STRETCH];
    return first !== undefined && length < (first.observer ? MOST_OBSERVERS : MOST);
  }

  /** A stretch at a time, so that no event waits for all of it. */
  #compile(): void {
    const from = this.#compiled.length * STRETCH;
    const calls = compileCalls(this.#calls.slice(from, from + STRETCH), from);
    if (calls === undefined) this.#told = -Infinity;
    else this.#compiled.push(calls);
  }
}

/** Whoever joins makes a row stale, so that its observers joined before what they are told began. */
function callOf(seat: Seat, type: NotifierCallback): Call | undefined {
  const { participant } = seat.member;
  const callback = seat.callback(type);
  if (callback !== undefined) return { observer: false, call: callback, receiver: seat.notifier };
  if (participant?.next === undefined) return undefined;
  return { observer: true, call: participant.next, receiver: participant.observer };
}
