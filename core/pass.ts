import { MemfileError } from './errno.js';
import type { Conversion } from './capabilities.js';
import type { Notification, NotifierCallback, Reason, Told } from './event.js';
import type { NotifiedFile, NotifierEvent } from './notifier.js';
import type { Operation } from './operation.js';
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
  /** The position of what began it; its own by default. */
  readonly begun?: number | undefined;
  readonly conversion?: Conversion | undefined;
  readonly kept?: readonly PageRange[] | undefined;
  /** With `rollback`: what it undoes. */
  readonly undoes?: Pass | undefined;
}

const NO_DETAIL: PassDetail = {};

/**
 * One event being told to the consumers it concerns, one after the other; also the event object
 * that each of them is handed.
 */
export class Pass implements NotifierEvent {
  readonly type: NotifierCallback;
  readonly position: number;
  readonly reason: Reason;
  readonly kept?: readonly PageRange[];
  readonly conversion?: Conversion;
  readonly operation: Operation;
  /** The position of what began it; observers that joined since are not concerned. */
  readonly begun: number;
  /** Whose turn it is, or was last. */
  reached: SectionOwner | undefined;
  readonly #host: PassHost;
  /** Whether what it is told of runs now; and whether that is a watcher, which takes no part. */
  #running = false;
  #aside = false;
  #section: Section | undefined;
  #notification: Told | undefined;
  #start = 0;
  #end = 0;
  #started: WaitNode[] | undefined;
  #waitUntil: ((promise: PromiseLike<unknown>) => void) | undefined;
  /** The callback or observer that runs now; of a consumer with several, each has a say. */
  #participant: object | undefined;
  #refusedBy: SectionOwner | undefined;
  /** Who was asked to prepare, and has not refused. */
  readonly #agreed: Set<object> | undefined;
  /** With `rollback`: what it undoes. */
  readonly #undoes: Pass | undefined;

  constructor(
    host: PassHost,
    operation: Operation,
    type: NotifierCallback,
    reason: Reason,
    position: number,
    { begun = position, conversion, kept, undoes }: PassDetail = NO_DETAIL,
  ) {
    this.#undoes = undoes;
    this.#agreed = type === 'prepare' ? new Set() : undefined;
    this.#host = host;
    this.operation = operation;
    this.type = type;
    this.reason = reason;
    this.position = position;
    this.begun = begun;
    if (kept !== undefined) this.kept = kept;
    if (conversion !== undefined) this.conversion = conversion;
  }

  get file(): NotifiedFile {
    return this.#host.file;
  }

  /** The same event for a consumer of whose pages some stayed. */
  keeping(kept: readonly PageRange[]): Pass {
    const { operation, type, reason, position, begun, conversion } = this;
    const detail = { begun, conversion, kept };
    return new Pass(this.#host, operation, type, reason, position, detail);
  }

  /** The event that undoes this one, for those who had agreed. */
  undoing(position: number): Pass {
    const { operation, reason, conversion } = this;
    const detail = { conversion, undoes: this };
    return new Pass(this.#host, operation, 'rollback', reason, position, detail);
  }

  /** A callback or observer is about to be called; false when this is not its business. */
  concerns(participant: object): boolean {
    if (this.#undoes !== undefined && !this.#undoes.#agreed!.has(participant)) return false;
    if (this.#agreed !== undefined) {
      if (this.#refusedBy === this.reached) return false; // Its consumer has refused already.
      this.#agreed.add(participant);
    }
    this.#participant = participant;
    return true;
  }

  /** The synchronous part of a consumer's callback begins, for its clipped range. */
  enter(receiver: SectionOwner, start: number, end: number): void {
    this.reached = receiver;
    this.#running = true;
    this.#participant = undefined;
    this.#start = start;
    this.#end = end;
  }

  leave(): void {
    this.#running = false;
    const section = this.#section;
    const started = this.#started;
    if (section === undefined && started === undefined) return;
    this.#section = undefined;
    this.#started = undefined;
    if (section === undefined) return;
    if (started !== undefined) section.started.push(...started);
    section.release();
  }

  /** Whose callback runs now. */
  get receiver(): SectionOwner | undefined {
    return this.#running && !this.#aside ? this.reached : undefined;
  }

  isTelling(owner: SectionOwner): boolean {
    return this.#running && this.reached === owner;
  }

  /** The callback that runs now has started something that takes its time. */
  started(node: WaitNode): void {
    (this.#started ??= []).push(node);
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
    if (this.#section === undefined) {
      const receiver = this.reached!;
      const range = { start: this.#start, end: this.#end };
      const { operation, type, position } = this;
      this.#section = new Section(receiver, operation, type, position, range, (error) =>
        this.#host.consumerFailed(this, receiver, range, error),
      );
    }
    return this.#section;
  }

  hold(promise: unknown): void {
    const agreed = this.#agreed;
    const participant = this.#participant;
    if (agreed !== undefined && participant !== undefined && isThenable(promise)) {
      promise.then(undefined, () => agreed.delete(participant));
    }
    this.section().hold(promise);
  }

  /** Holds what a callback returned, when that is a promise. */
  holdIfThenable(result: unknown): void {
    if (isThenable(result)) this.hold(result);
  }

  fail(error: unknown): void {
    if (this.#agreed !== undefined) {
      if (this.#participant !== undefined) this.#agreed.delete(this.#participant);
      this.#refusedBy = this.reached;
    }
    const range = { start: this.#start, end: this.#end };
    this.#host.consumerFailed(this, this.reached!, range, error);
  }

  /** Runs `call` as a watcher's: it can neither fail nor hold the section. */
  aside(call: () => void): void {
    this.#aside = true;
    try {
      call();
    } finally {
      this.#aside = false;
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
