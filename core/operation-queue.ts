import { MemfileError } from './errno.js';
import type { Operation, OperationHost, Step, Turn } from './operation.js';
import { overlaps } from './page-range.js';
import type { Scheduler } from './ports.js';

/**
 * When operations run.
 *
 * An operation starts when no earlier operation on an overlapping range of its file is queued or
 * running; nobody overtakes. Whatever runs, runs to completion for the whole framework: a step of
 * an operation never starts inside another, so an operation submitted from a callback begins when
 * the pass that called back is over.
 */
export class OperationQueue implements OperationHost {
  readonly #scheduler: Scheduler;
  readonly #watch: (operation: Operation) => () => void;
  readonly #durable: () => Promise<void> | undefined;
  /** Steps that may be taken as soon as the present one is over, by order of submission. */
  readonly #ready: Operation[] = [];
  #busy = false;
  /** Whose turn it is, of those that are in no lane yet. */
  #turn: Turn | undefined;
  #sequence = 0;

  /** @param durable when what is recorded by now is as safe as it has to be; see `whenDurable`. */
  constructor(
    scheduler: Scheduler,
    watch: (operation: Operation) => () => void,
    durable: () => Promise<void> | undefined = () => undefined,
  ) {
    this.#scheduler = scheduler;
    this.#watch = watch;
    this.#durable = durable;
  }

  /** Whether a step is being taken now. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Runs the operation now if nothing precedes it; otherwise when its turn comes. */
  submit(operation: Operation, signal?: AbortSignal): void {
    operation.sequence = ++this.#sequence;
    const { lane } = operation;
    if (lane.length === 0 && !this.#busy) {
      lane.push(operation);
      this.#run(operation);
    } else this.#queueUp(operation, lane, signal);
  }

  enter(turn: Turn): void {
    this.#busy = true;
    this.#turn = turn;
  }

  leave(): void {
    this.#turn = undefined;
    if (this.#ready.length > 0) this.#drain();
    else this.#busy = false;
  }

  #queueUp(operation: Operation, lane: Operation[], signal?: AbortSignal): void {
    this.#turn?.become();
    for (let i = lane.length - 1; i >= 0; i--) {
      const earlier = lane[i]!;
      if (!overlaps(earlier, operation)) continue;
      follow(operation, earlier);
      // Whoever else overlaps, this one waits for already.
      if (earlier.start <= operation.start && operation.end <= earlier.end) break;
    }
    lane.push(operation);
    if (operation.blockers === undefined) {
      if (this.#busy) this.#makeReady(operation);
      else this.#run(operation);
    }
    if (signal !== undefined && operation.state === 'queued') abortable(operation, signal);
  }

  /** Takes a step of a running operation, or of nobody, in a turn of its own. */
  step(step: () => void): void {
    this.#busy = true;
    try {
      step();
    } finally {
      this.#busy = false;
      this.#drain();
    }
  }

  resume(operation: Operation, label: string, step: Step): void {
    void this.#scheduler
      .schedule(`${operation.describe()}: ${label}`)
      .then(() => this.step(() => operation.attempt(step)));
  }

  watch(operation: Operation): () => void {
    return this.#watch(operation);
  }

  durable(): Promise<void> | undefined {
    return this.#durable();
  }

  settled(operation: Operation): void {
    const { lane, followers } = operation;
    if (lane[lane.length - 1] === operation) lane.pop();
    else lane.splice(lane.indexOf(operation), 1);
    if (followers !== undefined) this.#letFollow(operation, followers);
  }

  #letFollow(operation: Operation, followers: readonly Operation[]): void {
    for (const follower of followers) {
      // One that was cancelled while queued leaves those it waited for to its followers.
      for (const earlier of operation.blockers ?? []) {
        if (overlaps(earlier, follower)) follow(follower, earlier);
      }
      follower.blockers!.delete(operation);
      if (follower.blockers!.size === 0 && follower.state === 'queued') this.#makeReady(follower);
    }
  }

  /** Nothing is being told, and nothing waits to be: what is ready runs at once. */
  #run(operation: Operation): void {
    this.#busy = true;
    operation.run();
    this.leave();
  }

  #makeReady(operation: Operation): void {
    const ready = this.#ready;
    let at = ready.length;
    while (at > 0 && ready[at - 1]!.sequence > operation.sequence) at--;
    ready.splice(at, 0, operation);
    if (!this.#busy) this.#drain();
  }

  #drain(): void {
    this.#busy = true;
    for (let next = this.#ready.shift(); next !== undefined; next = this.#ready.shift()) {
      if (next.state === 'queued') next.run();
    }
    this.#busy = false;
  }
}

function follow(later: Operation, earlier: Operation): void {
  later.blockers ??= new Set();
  if (later.blockers.has(earlier)) return;
  later.blockers.add(earlier);
  (earlier.followers ??= []).push(later);
}

/** Cancels the operation when the signal fires, for as long as it is queued. */
function abortable(operation: Operation, signal: AbortSignal): void {
  const abort = (): void => {
    operation.onStart?.();
    operation.reject(
      new MemfileError('EINTR', operation.syscall, 'aborted while queued', {
        cause: signal.reason,
      }),
    );
  };
  signal.addEventListener('abort', abort);
  operation.onStart = () => signal.removeEventListener('abort', abort);
}
