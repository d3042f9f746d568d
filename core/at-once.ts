import type { FileCore } from './file-core.js';
import { Operation, type Running, type Step, type Turn } from './operation.js';
import { fallocate, punch } from './page-operations.js';
import { DONE } from './waits-for.js';

/**
 * An operation that nothing precedes, for as long as nothing but its own steps asks for it: it is in
 * no lane, has no promise of its own, and is over when its call returns. One object serves them all,
 * one after the other, as an operation of its own for each costs as much as what most of them do.
 *
 * Where anything more is wanted of one it becomes an {@link Operation}, and stands for that from
 * then on: when a consumer fails or takes its time, when another operation comes meanwhile, when
 * something is in its way, when its end has yet to become durable.
 */
export class AtOnce implements Running, Turn {
  id = 0;
  syscall = '';
  from = 0;
  to = 0;
  readonly #file: FileCore;
  #recorded = false;
  /** Whether its call has not returned. */
  #runs = false;
  #self: Operation | undefined;

  constructor(file: FileCore) {
    this.#file = file;
  }

  fallocate(start: number, end: number): Promise<void> {
    this.#enter('fallocate', start, end);
    try {
      fallocate(this.#file, this, 'fallocate', false);
    } catch (error) {
      this.self.stop(error);
    }
    return this.#leave();
  }

  punch(start: number, end: number): Promise<void> {
    this.#enter('punchHole', start, end);
    try {
      punch(this.#file, this, 'punch');
    } catch (error) {
      this.self.stop(error);
    }
    return this.#leave();
  }

  #enter(syscall: string, from: number, to: number): void {
    const file = this.#file;
    this.id = file.nextOperation;
    this.syscall = syscall;
    this.from = from;
    this.to = to;
    this.#recorded = false;
    this.#runs = true;
    file.queue.enter(this);
  }

  #leave(): Promise<void> {
    this.#file.queue.leave();
    this.#runs = false;
    return this.#self === undefined ? DONE : (this.#self.promise() as Promise<void>);
  }

  /** Whether it can serve another one. */
  get isFree(): boolean {
    return this.#self === undefined;
  }

  get self(): Operation {
    return this.become();
  }

  become(): Operation {
    if (this.#self !== undefined) return this.#self;
    if (!this.#runs) throw new Error('this operation is over');
    const { syscall, from, to, id } = this;
    const operation = new Operation(this.#file, syscall, from, to, () => {});
    this.#self = operation;
    operation.goesOn(id, this.#recorded);
    return operation;
  }

  get why(): 'punch' {
    return 'punch';
  }

  get start(): number {
    const { granule } = this.#file;
    return granule === 1 ? this.from : Math.floor(this.from / granule) * granule;
  }

  get end(): number {
    const { granule } = this.#file;
    return granule === 1 ? this.to : Math.ceil(this.to / granule) * granule;
  }

  get recorded(): boolean {
    return this.#self === undefined ? this.#recorded : this.#self.recorded;
  }

  set recorded(recorded: boolean) {
    if (this.#self === undefined) this.#recorded = recorded;
    else this.#self.recorded = recorded;
  }

  get heldUp(): boolean {
    return this.#self !== undefined && this.#self.heldUp;
  }

  get isSafe(): boolean {
    return this.#self === undefined || this.#self.isSafe;
  }

  whenLetGo(label: string, step: Step<Running>): void {
    if (this.#self === undefined) step(this);
    else this.#self.whenLetGo(label, step);
  }

  finish(value?: unknown): void {
    if (this.#self !== undefined || value !== undefined) {
      this.self.finish(value);
      return;
    }
    const durable = this.#recorded ? this.#file.queue.durable() : undefined;
    if (durable !== undefined) this.self.doneWhen(durable);
  }
}
