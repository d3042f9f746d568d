import { MemfileError, messageOf } from './errno.js';
import { evolve } from './evolve.js';
import type { JournalEvent } from './event.js';
import type { Journal } from './journal.js';
import { OperationQueue } from './operation-queue.js';
import type { Operation } from './operation.js';
import type { Clock, Scheduler } from './ports.js';
import type { Pass } from './pass.js';
import { MemfileState } from './state.js';
import { watchForStall, type StallOptions } from './stall.js';

/** What every memory file of one memfile shares: the state, its journal, and whose turn it is. */
export class Engine {
  readonly state = new MemfileState();
  readonly journal: Journal;
  readonly clock: Clock;
  readonly queue: OperationQueue;
  /** The event that a consumer is being told of now. */
  pass: Pass | undefined;
  /** Set when the framework is being torn down: nothing new starts. */
  closing = false;
  #journalError: unknown;

  constructor(journal: Journal, clock: Clock, scheduler: Scheduler, stall?: StallOptions) {
    if (journal.position > 0) {
      const why = `the journal has ${journal.position} events; a memfile begins with an empty one`;
      throw new MemfileError('EINVAL', 'createMemfile', why);
    }
    this.journal = journal;
    this.clock = clock;
    this.queue = new OperationQueue(
      scheduler,
      stall === undefined ? () => () => {} : watchForStall(clock, stall),
    );
  }

  /** Why the journal cannot be written any more; undefined while it can. */
  get journalError(): unknown {
    return this.#journalError;
  }

  /**
   * Records the first event of something; it does not happen when it cannot be recorded.
   * @throws MemfileError EIO when the journal cannot write.
   */
  begin(syscall: string, event: JournalEvent): number {
    this.checkJournal(syscall);
    if (!this.#append(event)) this.checkJournal(syscall);
    evolve(this.state, event);
    return this.state.position;
  }

  /** Records what has to happen now that it has begun, even if the journal fails on the way. */
  record(event: JournalEvent): number {
    if (this.#journalError === undefined) this.#append(event);
    evolve(this.state, event);
    return this.state.position;
  }

  /** @throws MemfileError EIO when the journal cannot be written any more. */
  checkJournal(syscall: string): void {
    if (this.#journalError === undefined) return;
    const why = `the journal cannot write: ${messageOf(this.#journalError)}`;
    throw new MemfileError('EIO', syscall, why, { cause: this.#journalError });
  }

  /** Submits an operation and answers its promise, of what it finishes with. */
  submit<T>(operation: Operation, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted === true) {
      const { syscall } = operation;
      const why = { cause: signal.reason };
      return Promise.reject(new MemfileError('EINTR', syscall, 'aborted before it began', why));
    }
    this.start(operation, signal);
    return operation.promise() as Promise<T>;
  }

  start(operation: Operation, signal?: AbortSignal): void {
    this.pass?.started(operation);
    this.queue.submit(operation, signal);
  }

  #append(event: JournalEvent): boolean {
    try {
      const position = this.journal.append(event);
      if (position === this.state.position + 1) return true;
      throw new Error(`it answered position ${position} after ${this.state.position}`);
    } catch (error) {
      this.#journalError = error;
      return false;
    }
  }
}
