import type { Ballot } from './ballot.js';
import { MemfileError } from './errno.js';
import type { Conversion } from './capabilities.js';
import type { Notification, NotifierCallback, Reason, Told } from './event.js';
import type { NotifiedFile, NotifierEvent } from './notifier.js';
import type { Running } from './operation.js';
import type { PageRange } from './page-range.js';
import { Section, type SectionOwner } from './section.js';
import { isThenable, type WaitNode } from './waits-for.js';

/** What a pass needs of the file that it is about. */
export interface PassHost {
  readonly file: NotifiedFile;
  consumerFailed(pass: Pass, owner: SectionOwner, range: PageRange, error: unknown): void;
}

/** What only some passes have. */
export interface PassDetail {
  readonly conversion?: Conversion | undefined;
  readonly kept?: readonly PageRange[] | undefined;
  /** With `prepare`: who agrees; with `rollback`, who did. */
  readonly ballot?: Ballot | undefined;
}

const NO_DETAIL: PassDetail = {};

/** What a callback that is told now has left for later; most leave nothing. */
interface Left {
  section: Section | undefined;
  started: WaitNode[] | undefined;
}

/**
 * One event being told to the consumers it concerns, one after the other; also the event object
 * that each of them is handed.
 */
export class Pass implements NotifierEvent {
  readonly type: NotifierCallback;
  readonly position: number;
  readonly reason: Reason;
  readonly operation: Running;
  /** The position of what began it; observers that joined since are not concerned. */
  readonly begun: number;
  readonly #host: PassHost;
  readonly #detail: PassDetail;
  /** Those who are told the same pages one after the other, of whom it is the turn of the one `at`. */
  #row: readonly SectionOwner[] | undefined;
  #one: SectionOwner | undefined;
  /** @internal */
  at = 0;
  /** @internal Whether what is told now has done more than return. */
  touched = false;
  /** Whether what it is told of runs now; 'aside' when that is a watcher, which takes no part. */
  #turn: 'over' | 'running' | 'aside' = 'over';
  #start = 0;
  #end = 0;
  #left: Left | undefined;
  #notification: Told | undefined;
  #waitUntil: ((promise: PromiseLike<unknown>) => void) | undefined;

  constructor(
    host: PassHost,
    operation: Running,
    type: NotifierCallback,
    reason: Reason,
    position: number,
    begun: number,
    detail: PassDetail = NO_DETAIL,
  ) {
    this.type = type;
    this.position = position;
    this.reason = reason;
    this.operation = operation;
    this.begun = begun;
    this.#host = host;
    this.#detail = detail;
  }

  get kept(): readonly PageRange[] | undefined {
    return this.#detail.kept;
  }

  get conversion(): Conversion | undefined {
    return this.#detail.conversion;
  }

  get file(): NotifiedFile {
    return this.#host.file;
  }

  /** The same event for a consumer of whose pages some stayed. */
  keeping(kept: readonly PageRange[]): Pass {
    const { operation, type, reason, position, begun, conversion } = this;
    return new Pass(this.#host, operation, type, reason, position, begun, { conversion, kept });
  }

  /** The event that undoes this one, for those who had agreed. */
  undoing(position: number): Pass {
    const { operation, reason } = this;
    return new Pass(this.#host, operation, 'rollback', reason, position, position, this.#detail);
  }

  /** A callback or observer is about to be called; false when this is not its business. */
  concerns(participant: object): boolean {
    const { ballot } = this.#detail;
    if (ballot === undefined) return true;
    return this.type === 'rollback'
      ? ballot.agreed(participant)
      : ballot.ask(participant, this.reached);
  }

  /** Whose turn it is, or was last. */
  get reached(): SectionOwner | undefined {
    return this.#row === undefined ? this.#one : this.#row[this.at];
  }

  /** The synchronous part of a consumer's callback begins, for its clipped range. */
  enter(receiver: SectionOwner, start: number, end: number): void {
    this.#row = undefined;
    this.#one = receiver;
    this.#turn = 'running';
    this.#start = start;
    this.#end = end;
    this.#detail.ballot?.next();
  }

  /** The same for all of a row, one after the other: it is the turn of the one that is `at`. */
  enterRow(row: readonly SectionOwner[], start: number, end: number): void {
    this.#row = row;
    this.#turn = 'running';
    this.#start = start;
    this.#end = end;
  }

  leave(): void {
    this.#turn = 'over';
    if (this.touched) this.settle();
  }

  /** Who is told of it has changed, or what is told now has done something. */
  touch(): void {
    this.touched = true;
  }

  /** The synchronous part of what is told now is over. */
  settle(): void {
    this.touched = false;
    const left = this.#left;
    this.#left = undefined;
    if (left?.section === undefined) return;
    if (left.started !== undefined) left.section.started = left.started;
    left.section.release();
  }

  #leaves(): Left {
    this.touch();
    return (this.#left ??= { section: undefined, started: undefined });
  }

  /** Whose callback runs now. */
  get receiver(): SectionOwner | undefined {
    return this.#turn === 'running' ? this.reached : undefined;
  }

  isTelling(owner: SectionOwner): boolean {
    return this.#turn !== 'over' && this.reached === owner;
  }

  /** The callback that runs now has started something that takes its time. */
  started(node: WaitNode): void {
    (this.#leaves().started ??= []).push(node);
  }

  /** Bound, so that it can be taken out of the event: `({ waitUntil }) => …`. */
  get waitUntil(): (promise: PromiseLike<unknown>) => void {
    this.#waitUntil ??= (promise) => {
      if (this.receiver === undefined) {
        throw new MemfileError(
          'EINVAL',
          'waitUntil',
          'the synchronous part of the callback is over, or this is an observer behind pipe(); ' +
            'call it before the first await, or return the promise',
        );
      }
      this.hold(promise);
    };
    return this.#waitUntil;
  }

  /** The reader section of the callback that runs now. */
  section(): Section {
    const left = this.#leaves();
    if (left.section === undefined) {
      const receiver = this.reached!;
      const range = { start: this.#start, end: this.#end };
      const { operation, type, position } = this;
      left.section = new Section(receiver, operation.self, type, position, range, (error) =>
        this.#host.consumerFailed(this, receiver, range, error),
      );
    }
    return left.section;
  }

  hold(promise: unknown): void {
    if (this.type === 'prepare') this.#detail.ballot!.depend(promise);
    this.section().hold(promise);
  }

  /** Holds what a callback returned, when that is a promise. */
  holdIfThenable(result: unknown): void {
    if (isThenable(result)) this.hold(result);
  }

  fail(error: unknown): void {
    if (this.type === 'prepare') this.#detail.ballot!.refuse(this.reached);
    const range = { start: this.#start, end: this.#end };
    this.#host.consumerFailed(this, this.reached!, range, error);
  }

  /** Runs `call` as a watcher's: it can neither fail nor hold the section. */
  aside(call: () => void): void {
    this.#turn = 'aside';
    try {
      call();
    } finally {
      this.#turn = 'running';
    }
  }

  /** What observers are handed; consumers that are told the same pages share it. */
  notification(): Notification {
    const start = this.#start;
    const end = this.#end;
    const last = this.#notification;
    if (last !== undefined && last.start === start && last.end === end) return last;
    const { type, position, reason, kept, conversion, waitUntil } = this;
    const told = { type, start, end, position, reason, waitUntil };
    const plain = kept === undefined && conversion === undefined;
    return (this.#notification = plain
      ? told
      : { ...told, ...(kept && { kept }), ...(conversion && { conversion }) });
  }
}
