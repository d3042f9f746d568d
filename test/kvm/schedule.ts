import { Scheduler } from '../../core/index.js';

/** Lets whatever is suspended go on one at a time, as the program says. */
export class ManualScheduler extends Scheduler {
  readonly suspended: Array<() => void> = [];

  schedule(): Promise<void> {
    return new Promise((resolve) => this.suspended.push(resolve));
  }
}

/** Takes one of a list out. */
export function take<T>(list: T[], which: number): T | undefined {
  return list.length === 0 ? undefined : list.splice(which % list.length, 1)[0];
}

/** Lets everything happen that needs nothing but microtasks. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
