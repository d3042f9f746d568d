import { ArgumentReader } from './arguments.js';
import type { Call } from './parse-line.js';
import type { Task } from './processes.js';
import { countBytes } from './summary.js';
import { unreadable, type Handler, type World } from './world.js';

const PAGE = 4096;

function roundUp(length: number): number {
  return Math.ceil(length / PAGE) * PAGE;
}

const mmap: Handler = (call, task) => {
  const args = new ArgumentReader(call);
  args.skip();
  const length = roundUp(args.number());
  args.skip();
  const flags = args.next() ?? '';
  const address = call.result;
  if (Number.isNaN(length) || !Number.isSafeInteger(address + length)) return unreadable(call);
  // Whatever is here now is covered, with MAP_FIXED or without: the kernel put the mapping here.
  task.space.unmap(address, length);
  if (!flags.startsWith('MAP_')) return `mmap ${flags}`;
  if (flags.includes('MAP_ANONYMOUS')) return undefined;
  const shared = flags.startsWith('MAP_SHARED');
  const target = task.fds.get(args.descriptor());
  if (target?.type === 'file') {
    const offset = args.number();
    if (Number.isNaN(offset)) return unreadable(call);
    task.space.map({ file: target.file, shared, address, length, offset });
    return undefined;
  }
  // It may show a memory file that came through a socket, or from before the log.
  return shared && !target ? 'mmap MAP_SHARED of an unknown descriptor' : undefined;
};

const munmap: Handler = (call, task) => {
  const args = new ArgumentReader(call);
  const address = args.number();
  const length = roundUp(args.number());
  if (Number.isNaN(address + length)) return unreadable(call);
  task.space.unmap(address, length);
  return undefined;
};

const madvise: Handler = (call, task, world) => {
  const args = new ArgumentReader(call);
  const address = args.number();
  const bytes = args.number();
  const advice = args.next();
  if (Number.isNaN(address + bytes) || advice === undefined) return unreadable(call);
  countBytes(world.summary.adviceCalls, advice, bytes);
  return advise(call, task, world, advice, address, roundUp(bytes));
};

function advise(
  call: Call,
  { space }: Task,
  world: World,
  advice: string,
  address: number,
  length: number,
): string | undefined {
  switch (advice) {
    case 'MADV_DONTNEED':
    case 'MADV_DONTNEED_LOCKED':
      for (const piece of space.resolve(address, length)) {
        const { mapping } = piece;
        world.emit({ type: 'drop', mapping, space, address: piece.address, length: piece.length });
      }
      return undefined;
    case 'MADV_REMOVE':
      for (const { file, mapping, offset, length: bytes } of space.resolve(address, length)) {
        world.emit({ type: 'remove', file, mapping, offset, length: bytes });
      }
      return undefined;
    case 'MADV_DONTFORK':
    case 'MADV_DOFORK':
      space.setInherited(address, length, advice === 'MADV_DOFORK');
      return undefined;
    default:
      return advice.startsWith('MADV_') ? undefined : `${call.name} ${advice}`;
  }
}

/** Calls on address ranges. */
export const MEMORY_CALLS: Readonly<Record<string, Handler>> = {
  mmap,
  mmap2: mmap,
  munmap,
  madvise,
};
