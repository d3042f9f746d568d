import { arrive } from './arrival.js';
import { depart } from './departure.js';
import { MemfileError } from './errno.js';
import type { Reason } from './event.js';
import type { FileCore } from './file-core.js';
import type { Step } from './operation.js';
import { refusesFallocate, refusesPunch } from './refusals.js';

/** The two operations that there are most of; one step serves all of a file and a reason. */

export function fallocating(file: FileCore, reason: Reason, keepSize: boolean): Step {
  return (operation) => {
    const { from, syscall } = operation;
    const { pages, name } = file.state;
    // A fault has nothing to find past the end of the file, wherever that is by now.
    const to = reason === 'fault' && pages < operation.to ? pages : operation.to;
    if (from >= to) {
      throw new MemfileError('EFAULT', syscall, `page ${from} is past the end of "${name}"`);
    }
    const refusal = refusesFallocate(file, to);
    if (refusal !== undefined) throw refusal;
    arrive(file, operation, from, to, reason, !keepSize, file.finish);
  };
}

export function punching(file: FileCore, reason: Reason): Step {
  return (operation) => {
    const refusal = refusesPunch(file);
    if (refusal !== undefined) throw refusal;
    depart(file, operation, operation.from, operation.to, reason, file.finish);
  };
}
