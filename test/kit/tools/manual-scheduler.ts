import { Scheduler } from '../../../core/index.js';

/** Lets suspended operations go on one at a time, when a test says so. */
export class ManualScheduler extends Scheduler {
  readonly suspended: Array<() => void> = [];

  schedule(): Promise<void> {
    return new Promise((resolve) => this.suspended.push(resolve));
  }
}
