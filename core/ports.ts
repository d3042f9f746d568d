import { brand } from './copy.js';
import { refuseAbstract } from './same-copy.js';

/**
 * What the core asks of the world outside: time, and when to go on.
 *
 * Both are classes so that they serve as dependency injection tokens; any object of the same shape
 * will do.
 */

export abstract class Clock {
  constructor() {
    refuseAbstract(Clock, new.target);
  }

  /** Milliseconds since any fixed moment; never goes back. */
  abstract now(): number;
  /** Calls `run` once, `ms` milliseconds from now; the answer cancels it. */
  abstract after(ms: number, run: () => void): () => void;
}

export class SystemClock extends Clock {
  now(): number {
    return performance.now();
  }

  after(ms: number, run: () => void): () => void {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  }
}

/**
 * The only place where the core suspends: after what an operation waited for has settled, it goes
 * on when the scheduler says so. An explorer chooses the order; by default it is a microtask.
 */
export abstract class Scheduler {
  constructor() {
    refuseAbstract(Scheduler, new.target);
  }

  /** @param label which step of which operation asks, for people who read a schedule. */
  abstract schedule(label: string): Promise<void>;
}

export class MicrotaskScheduler extends Scheduler {
  schedule(): Promise<void> {
    return Promise.resolve();
  }
}

brand(Clock);
brand(Scheduler);
