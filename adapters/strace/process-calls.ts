import type { Sharing } from './processes.js';
import { textOf } from './scan.js';
import type { Handler } from './world.js';

const FLAGS = /\bflags=([A-Z0-9_|a-z]*)/;

/** Whether a call of that name makes a process or a thread. */
export function makesChild(name: string): boolean {
  return sharingOf(name, () => '') !== undefined;
}

/** What the child of a call shares with its parent; undefined when the call makes no child. */
export function sharingOf(name: string, args: () => string): Sharing | undefined {
  switch (name) {
    case 'clone':
    case 'clone2':
    case 'clone3': {
      const flags = (FLAGS.exec(args())?.[1] ?? '').split('|');
      return { files: flags.includes('CLONE_FILES'), memory: flags.includes('CLONE_VM') };
    }
    case 'fork':
      return { files: false, memory: false };
    case 'vfork':
      return { files: false, memory: true };
    default:
      return undefined;
  }
}

const clone: Handler = (call, task, world) => {
  const sharing = sharingOf(call.name, () => textOf(call.bytes, call.from, call.to));
  if (sharing && call.result > 0) world.processes.clone(task, call.result, sharing);
  return undefined;
};

const exec: Handler = (call, _task, world) => {
  world.processes.exec(call.tid);
  return undefined;
};

/** Calls that make processes or replace what they run. Threads end with a line of their own. */
export const PROCESS_CALLS: Readonly<Record<string, Handler>> = {
  clone,
  clone2: clone,
  clone3: clone,
  fork: clone,
  vfork: clone,
  execve: exec,
  execveat: exec,
  exit: () => undefined,
  exit_group: () => undefined,
};
