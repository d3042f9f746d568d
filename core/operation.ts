import type { WhyFreed } from './backing-store.js';
import {
  asMemfileError,
  MemfileError,
  messageOf,
  type Effect,
  type ErrnoCode,
  type Refused,
} from './errno.js';
import { formatRange, isPageCount, type PageRange } from './page-range.js';
import { DONE, standsFor, type WaitNode } from './waits-for.js';

/** What an operation needs of the file that it is about. */
export interface OperationHome {
  readonly name: string;
  readonly queue: OperationHost;
  /** Its pages come and go in aligned groups of this many. */
  readonly granule: number;
  /** The operations of the file that are queued or running, in the order of submission. */
  readonly lane: Operation[];
  /** @throws MemfileError when no operation can begin now; otherwise gives it its number. */
  admit(operation: Operation): void;
}

/** What an operation needs of the queue it runs in. */
export interface OperationHost {
  /** Goes on with a running operation, in a turn of its own, when the scheduler says so. */
  resume(operation: Operation, label: string, step: Step): void;
  /** Looks after an operation that waits; the answer ends that. */
  watch(operation: Operation): () => void;
  /** When what is recorded by now is durable; undefined when it is. */
  durable(): Promise<void> | undefined;
  settled(operation: Operation): void;
  /** The turn of one that is in no lane begins; it ends with `leave`. */
  enter(turn: Turn): void;
  leave(): void;
}

/** An operation that is in no lane. */
export interface Turn {
  /** Another operation comes while this one runs, and has to find it in its lane. */
  become(): void;
}

/** An operation that runs now, as its steps see it. */
export interface Running extends PageRange {
  /** Its number in the journal. */
  readonly id: number;
  readonly syscall: string;
  /** What a store is told that frees pages for it. */
  readonly why: WhyFreed;
  /** What was asked for; `start` and `end` are the widest range that it can touch. */
  readonly from: number;
  readonly to: number;
  /** Whether any event of it is in the journal: from then on it takes place. */
  recorded: boolean;
  /** Whether a reader section is open that it has to wait for. */
  readonly heldUp: boolean;
  /** Whether no consumer has failed to let go of pages that are leaving. */
  readonly isSafe: boolean;
  /** The operation itself, for all else that can come of it. */
  readonly self: Operation;
  /** Takes the next step when every reader section is over; at once when none is open. */
  whenLetGo(label: string, step: Step<Running>): void;
  /** Every step is taken: resolves, or rejects naming whoever failed on the way. */
  finish(value?: unknown): void;
}

/** A reader section, as the operation sees it that waits for it. */
interface Holding extends WaitNode {
  readonly holdsUp: boolean;
}

/** A consumer did not agree to pages `[start, end)`, when asked at `position`. */
export interface Refusal extends PageRange {
  readonly consumer: { readonly name: string; readonly active: boolean };
  readonly position: number;
  readonly error: unknown;
}

interface Promised {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: MemfileError) => void;
}

interface Trouble {
  code: ErrnoCode;
  effect: Effect;
  refused: Refused | undefined;
  unsafe: readonly PageRange[];
  refusals: readonly Refusal[];
  failures: readonly { readonly what: string; readonly error: unknown }[];
}

/** A part of an operation that is taken in one turn. */
export type Step<Of extends Running = Operation> = (operation: Of) => void;

/**
 * One operation on pages `[start, end)` of a file, from its submission until its promise settles.
 *
 * `start` and `end` are the widest range that it can touch: what orders it against others.
 */
export class Operation implements WaitNode, Running {
  /** Its number in the journal; 0 until it starts. */
  id = 0;
  /** Its place in the order of submission. */
  sequence = 0;
  state: 'queued' | 'running' | 'settled' = 'queued';
  /** Earlier overlapping operations that are not over; later ones that wait for this. */
  blockers: Set<Operation> | undefined;
  followers: Operation[] | undefined;
  recorded = false;
  /** Called when it leaves the queue, to run or because it was aborted. */
  onStart: (() => void) | undefined;

  readonly home: OperationHome;
  readonly syscall: string;
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  readonly #step: Step;
  /** Not all went well. */
  #trouble: Trouble | undefined;
  /** The reader sections that it waits for, and those that were over before all are. */
  #sections: Holding[] | undefined;
  #open = 0;
  #waiting:
    | { readonly label: string; readonly step: Step; readonly unwatch: () => void }
    | undefined;
  #value: unknown;
  #error: MemfileError | undefined;
  /** It is over, and its end has yet to become durable: its promise waits for that, nobody else. */
  #durable: Promise<void> | undefined;
  #promised: Promised | undefined;

  /** @param step its first; what it is about is checked there, as it is by then. */
  constructor(home: OperationHome, syscall: string, from: number, to: number, step: Step) {
    const { granule } = home;
    this.home = home;
    this.#step = step;
    this.syscall = syscall;
    this.from = from;
    this.to = to;
    // What is no page number is refused before it begins.
    const widened = granule !== 1 && isPageCount(from) && isPageCount(to);
    this.start = widened ? Math.floor(from / granule) * granule : from;
    this.end = widened ? Math.ceil(to / granule) * granule : to;
  }

  /** Why it rejects should anybody fail: EIO unless it was said. */
  set code(code: ErrnoCode) {
    this.#troubled().code = code;
  }

  /** What it did all the same, should anybody fail. */
  get effect(): Effect {
    return this.#trouble === undefined ? 'done' : this.#trouble.effect;
  }

  set effect(effect: Effect) {
    this.#troubled().effect = effect;
  }

  /** Where a consumer failed to let go of pages that are leaving. */
  get unsafe(): readonly PageRange[] {
    return this.#trouble === undefined ? NONE : this.#trouble.unsafe;
  }

  set unsafe(unsafe: readonly PageRange[]) {
    this.#troubled().unsafe = unsafe;
  }

  /** Who objected to what was prepared. */
  get refusals(): readonly Refusal[] {
    return this.#trouble === undefined ? NONE : this.#trouble.refusals;
  }

  set refusals(refusals: readonly Refusal[]) {
    this.#troubled().refusals = refusals;
  }

  #troubled(): Trouble {
    return (this.#trouble ??= {
      code: 'EIO',
      effect: 'done',
      refused: undefined,
      unsafe: NONE,
      refusals: NONE,
      failures: NONE,
    });
  }

  get self(): this {
    return this;
  }

  get why(): WhyFreed {
    return this.syscall === 'truncate' || this.syscall === 'close' ? 'end' : 'punch';
  }

  get isSafe(): boolean {
    return this.#trouble === undefined || this.#trouble.unsafe.length === 0;
  }

  /** The operations of its file. */
  get lane(): Operation[] {
    return this.home.lane;
  }

  /** Its turn has come: no earlier overlapping operation is left. */
  run(): void {
    this.state = 'running';
    this.onStart?.();
    try {
      this.home.admit(this);
      this.#step(this);
    } catch (error) {
      this.stop(error);
    }
  }

  /** It has begun already, when nothing preceded it. */
  goesOn(id: number, recorded: boolean): void {
    this.id = id;
    this.recorded = recorded;
    this.state = 'running';
    this.lane.push(this);
  }

  /** Takes a step of it; whatever that throws is its end. */
  attempt(step: Step): void {
    try {
      step(this);
    } catch (error) {
      this.stop(error);
    }
  }

  /** A step of it threw that. */
  stop(error: unknown): void {
    this.reject(asMemfileError(error, this.syscall, 'the operation'));
  }

  /** A reader section that this operation has to wait for. */
  opened(section: Holding): void {
    this.#open++;
    if (this.#sections === undefined) this.#sections = [section];
    else this.#sections.push(section);
  }

  /** One of those no longer holds it up. */
  closed(): void {
    if (--this.#open > 0) return;
    this.#sections = undefined;
    if (this.#waiting === undefined) return;
    const { label, step, unwatch } = this.#waiting;
    this.#waiting = undefined;
    unwatch();
    this.home.queue.resume(this, label, step);
  }

  /** The reader sections that it waits for. */
  get sections(): readonly WaitNode[] {
    return this.#sections?.filter(({ holdsUp }) => holdsUp) ?? [];
  }

  get heldUp(): boolean {
    return this.#open > 0;
  }

  whenLetGo(label: string, step: Step): void {
    if (!this.heldUp) {
      step(this);
      return;
    }
    this.#waiting = { label, step, unwatch: this.home.queue.watch(this) };
  }

  /** It does not take place: whatever was begun has to be undone. */
  refuse(code: ErrnoCode, refused?: Refused): void {
    Object.assign(this.#troubled(), { code, effect: 'none', refused });
  }

  /** Something failed on the way, which does not stop it; `what` is for people. */
  failed(what: string, error: unknown): void {
    const trouble = this.#troubled();
    trouble.failures = [...trouble.failures, { what, error }];
  }

  get settled(): boolean {
    return this.state === 'settled';
  }

  get hasFailed(): boolean {
    return this.#trouble !== undefined && this.#trouble.failures.length > 0;
  }

  finish(value?: unknown): void {
    const trouble = this.#trouble;
    if (trouble === undefined || trouble.failures.length === 0) this.#settle(value, undefined);
    else this.#rejectWith(trouble);
  }

  /** All went well, and is as safe as it has to be when that resolves. */
  doneWhen(durable: Promise<void>): void {
    this.#settle(undefined, undefined, durable);
  }

  #rejectWith({ failures, code, effect, refused }: Trouble): void {
    const detail = failures.map(({ what, error }) => `${what}: ${messageOf(error)}`).join('; ');
    const errors = failures.map((failure) => failure.error);
    const cause = errors.length === 1 ? errors[0] : new AggregateError(errors, detail);
    this.reject(new MemfileError(code, this.syscall, detail, { effect, refused, cause }));
  }

  reject(error: MemfileError): void {
    this.#settle(undefined, error);
  }

  /** The promise of the operation; one that is already over needs no new one. */
  promise(): Promise<unknown> {
    const isDone = this.state === 'settled' && this.#error === undefined;
    if (isDone && this.#value === undefined && this.#durable === undefined) return DONE;
    return this.#promise();
  }

  #promise(): Promise<unknown> {
    if (this.#durable !== undefined) return standsFor(this.#outcome(this.#durable), this);
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.state === 'settled') return Promise.resolve(this.#value);
    const promise = new Promise<unknown>((resolve, reject) => {
      this.#promised = { resolve, reject };
    });
    return standsFor(promise, this);
  }

  *waitsFor(): Iterable<WaitNode> {
    if (this.blockers !== undefined) yield* this.blockers;
    yield* this.sections;
  }

  describe(): string {
    return `${this.syscall} ${formatRange(this.start, this.end)} of "${this.home.name}"`;
  }

  #settle(value: unknown, error: MemfileError | undefined, durable?: Promise<void>): void {
    if (this.state === 'settled') return;
    this.state = 'settled';
    this.#value = value;
    this.#error = error;
    this.#durable = durable ?? (this.recorded ? this.home.queue.durable() : undefined);
    if (this.#promised !== undefined) this.#keep(this.#promised);
    this.home.queue.settled(this);
  }

  #keep({ resolve, reject }: Promised): void {
    if (this.#durable !== undefined) resolve(this.#outcome(this.#durable));
    else if (this.#error === undefined) resolve(this.#value);
    else reject(this.#error);
  }

  async #outcome(durable: Promise<void>): Promise<unknown> {
    try {
      await durable;
    } catch (cause) {
      const detail = `it took place, but the journal cannot keep it: ${messageOf(cause)}`;
      throw new MemfileError('EIO', this.syscall, detail, { effect: 'done', cause });
    }
    if (this.#error !== undefined) throw this.#error;
    return this.#value;
  }
}

const NONE: readonly never[] = [];
