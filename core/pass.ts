import type { Notification, Told } from './event.js';
import { Section, type SectionOwner } from './section.js';
import type { ToldEvent } from './told-event.js';
import { isThenable, type WaitNode } from './waits-for.js';

/** What a callback that is told now has left for later; most leave nothing. */
interface Left {
  section: Section | undefined;
  started: WaitNode[] | undefined;
}

/**
 * One event being told to the consumers it concerns, one after the other. As no pass begins inside
 * another, a framework has one object for all of them.
 */
export class Pass {
  #event: ToldEvent | undefined;
  /** Those who are told the same pages one after the other, of whom it is the turn of the one `at`. */
  #row: readonly SectionOwner[] | undefined;
  #one: SectionOwner | undefined;
  at = 0;
  /** Whether what is told now has done more than return. */
  touched = false;
  /** Whether what it is told of runs now; 'aside' when that is a watcher, which takes no part. */
  #turn: 'over' | 'running' | 'aside' = 'over';
  #start = 0;
  #end = 0;
  #left: Left | undefined;
  #notification: Told | undefined;

  begin(event: ToldEvent): void {
    this.#event = event;
  }

  end(): void {
    this.#event = undefined;
    this.#row = undefined;
    this.#one = undefined;
    this.#notification = undefined;
    this.touched = false;
    this.#left = undefined;
  }

  /** Whether anything is told now. */
  get isUnderWay(): boolean {
    return this.#event !== undefined;
  }

  /** What is told now. */
  get event(): ToldEvent {
    return this.#event!;
  }

  /** A callback or observer is about to be called; false when this is not its business. */
  concerns(participant: object): boolean {
    const { type, ballot } = this.event;
    if (ballot === undefined) return true;
    return type === 'rollback' ? ballot.agreed(participant) : ballot.ask(participant, this.reached);
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
    this.event.ballot?.next();
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

  /** The reader section of the callback that runs now. */
  section(): Section {
    const left = this.#leaves();
    if (left.section === undefined) {
      const receiver = this.reached!;
      const range = { start: this.#start, end: this.#end };
      const { event } = this;
      const { operation, type, position } = event;
      left.section = new Section(receiver, operation.self, type, position, range, (error) =>
        event.failed(receiver, range, error),
      );
    }
    return left.section;
  }

  hold(promise: unknown): void {
    const { type, ballot } = this.event;
    if (type === 'prepare') ballot!.depend(promise);
    this.section().hold(promise);
  }

  /** Holds what a callback returned, when that is a promise. */
  holdIfThenable(result: unknown): void {
    if (isThenable(result)) this.hold(result);
  }

  fail(error: unknown): void {
    const { event } = this;
    if (event.type === 'prepare') event.ballot!.refuse(this.reached);
    const range = { start: this.#start, end: this.#end };
    event.failed(this.reached!, range, error);
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
    const { type, position, reason, kept, conversion, waitUntil } = this.event;
    const told = { type, start, end, position, reason, waitUntil };
    const plain = kept === undefined && conversion === undefined;
    return (this.#notification = plain
      ? told
      : { ...told, ...(kept && { kept }), ...(conversion && { conversion }) });
  }
}
