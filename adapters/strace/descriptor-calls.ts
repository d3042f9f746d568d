import { ArgumentReader, parseFlags, type Descriptor } from './arguments.js';
import type { Task } from './processes.js';
import { unreadable, type Handler } from './world.js';

const close: Handler = (call, task) => {
  task.fds.close(new ArgumentReader(call).descriptor());
  return undefined;
};

const closeRange: Handler = (call, task, world) => {
  const args = new ArgumentReader(call);
  const from = args.descriptor().fd;
  const to = args.descriptor().fd;
  const flags = args.next();
  if (Number.isNaN(from + to)) return unreadable(call);
  if (flags !== '0' && flags !== 'CLOSE_RANGE_UNSHARE') return `close_range ${flags ?? ''}`;
  if (flags !== '0') world.processes.unshareFiles(task);
  task.fds.closeRange(from, to);
  return undefined;
};

function duplicate(task: Task, from: Descriptor, to: number, closeOnExec: boolean): void {
  if (from.fd === to) return;
  const opened = task.fds.get(from);
  if (opened) task.fds.set(to, opened, closeOnExec);
  else task.fds.close({ fd: to, annotation: undefined });
}

const dup: Handler = (call, task) => {
  const args = new ArgumentReader(call);
  const from = args.descriptor();
  args.skip();
  duplicate(task, from, call.result, args.next() === 'O_CLOEXEC');
  return undefined;
};

const fcntl: Handler = (call, task) => {
  const args = new ArgumentReader(call);
  const from = args.descriptor();
  const command = args.next();
  switch (command) {
    case 'F_DUPFD':
    case 'F_DUPFD_CLOEXEC':
      duplicate(task, from, call.result, command === 'F_DUPFD_CLOEXEC');
      return undefined;
    case 'F_SETFD':
      task.fds.setCloseOnExec(from, parseFlags(args.next()).includes('FD_CLOEXEC'));
      return undefined;
    default:
      return `${call.name} ${command ?? ''}`;
  }
};

/** Calls that close and copy descriptors. */
export const DESCRIPTOR_CALLS: Readonly<Record<string, Handler>> = {
  close,
  close_range: closeRange,
  dup,
  dup2: dup,
  dup3: dup,
  fcntl,
  fcntl64: fcntl,
};
