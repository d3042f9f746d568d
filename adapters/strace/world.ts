import type { SpaceWorld } from './address-space.js';
import type { Call } from './parse-line.js';
import type { Processes, Task } from './processes.js';
import type { TraceSummary } from './summary.js';
import type { Vms } from './vms.js';

/** What a handler may change. */
export interface World extends SpaceWorld {
  readonly summary: TraceSummary;
  readonly processes: Processes;
  readonly vms: Vms;
}

/**
 * Applies one successful call. Answers the name to count it under when it was not understood, or
 * undefined when it was, whether it had an effect or not.
 */
export type Handler = (call: Call, task: Task, world: World) => string | undefined;

/** The name of a call whose arguments could not be read, or are beyond exact counting. */
export function unreadable(call: Call): string {
  return `${call.name} with unreadable arguments`;
}
