import { ArgumentReader, parseFlags, parseStruct } from './arguments.js';
import { OTHER } from './fd-table.js';
import type { MemoryFile } from './memory-files.js';
import type { Call } from './parse-line.js';
import type { Task } from './processes.js';
import { unreadable, type Handler, type World } from './world.js';

const SHM = '/dev/shm';
const KEEP_SIZE = 'FALLOC_FL_KEEP_SIZE';
const PUNCH_HOLE = 'FALLOC_FL_PUNCH_HOLE';
const PUNCH_KEEPING_SIZE = 'FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE';

const memfdCreate: Handler = (call, task, world) => {
  const args = new ArgumentReader(call);
  const name = args.string();
  const flags = args.next();
  if (name === undefined || flags === undefined) return unreadable(call);
  const file = world.files.create(name, flags);
  const closeOnExec = parseFlags(flags).includes('MFD_CLOEXEC');
  task.fds.set(call.result, { type: 'file', file }, closeOnExec);
  return undefined;
};

/** An open of any path: the number may have been a memory file's, closed unseen. */
function opened(
  call: Call,
  task: Task,
  world: World,
  path: string | undefined,
  flagText: string,
): string | undefined {
  const flags = parseFlags(flagText);
  const file = path === undefined ? undefined : memoryFileAt(path, flags, flagText, world);
  const closeOnExec = flags.includes('O_CLOEXEC');
  task.fds.set(call.result, file ? { type: 'file', file } : OTHER, closeOnExec);
  return path === undefined ? unreadable(call) : undefined;
}

function memoryFileAt(
  path: string,
  flags: readonly string[],
  flagText: string,
  world: World,
): MemoryFile | undefined {
  const below = path.startsWith(`${SHM}/`) && path.length > SHM.length + 1;
  if (flags.includes('O_TMPFILE')) {
    return below || path === SHM ? world.files.create(path, flagText) : undefined;
  }
  if (!below || flags.includes('O_DIRECTORY') || flags.includes('O_PATH')) return undefined;
  const known = world.files.atPath(path);
  if (!known) return world.files.create(path, flagText, path);
  if (flags.includes('O_TRUNC')) world.emit({ type: 'resize', file: known.id, bytes: 0 });
  return known;
}

const open: Handler = (call, task, world) => {
  const args = new ArgumentReader(call);
  return opened(call, task, world, args.string(), args.next() ?? '');
};

const openat: Handler = (call, task, world) => {
  const args = new ArgumentReader(call);
  args.skip();
  return opened(call, task, world, args.string(), args.next() ?? '');
};

const openat2: Handler = (call, task, world) => {
  const args = new ArgumentReader(call);
  args.skip();
  const path = args.string();
  return opened(call, task, world, path, parseStruct(args.next()).get('flags') ?? '');
};

const creat: Handler = (call, task, world) => {
  const path = new ArgumentReader(call).string();
  return opened(call, task, world, path, 'O_WRONLY|O_CREAT|O_TRUNC');
};

const ftruncate: Handler = (call, task, world) => {
  const args = new ArgumentReader(call);
  const target = task.fds.get(args.descriptor());
  if (target?.type !== 'file') {
    world.summary.untracked += 1;
    return undefined;
  }
  const bytes = args.number();
  if (Number.isNaN(bytes)) return unreadable(call);
  world.emit({ type: 'resize', file: target.file.id, bytes });
  return undefined;
};

const fallocate: Handler = (call, task, world) => {
  const args = new ArgumentReader(call);
  const target = task.fds.get(args.descriptor());
  if (target?.type !== 'file') {
    world.summary.untracked += 1;
    return undefined;
  }
  const mode = args.next();
  const offset = args.number();
  const length = args.number();
  if (Number.isNaN(offset + length) || mode === undefined) return unreadable(call);
  const file = target.file.id;
  switch (mode) {
    case '0':
    case KEEP_SIZE:
      world.emit({ type: 'allocate', file, offset, length, keepSize: mode === KEEP_SIZE });
      return undefined;
    case PUNCH_KEEPING_SIZE:
    case PUNCH_HOLE:
      world.emit({ type: 'punch', file, offset, length });
      return undefined;
    default: {
      const kind = parseFlags(mode).filter((flag) => flag !== KEEP_SIZE);
      return `fallocate ${kind.join('|')}`;
    }
  }
};

/** Calls that make memory files, or change their pages and size through a descriptor. */
export const FILE_CALLS: Readonly<Record<string, Handler>> = {
  memfd_create: memfdCreate,
  open,
  openat,
  openat2,
  creat,
  ftruncate,
  ftruncate64: ftruncate,
  fallocate,
};
