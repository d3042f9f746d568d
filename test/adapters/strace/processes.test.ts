import { describe, expect, test } from 'vitest';
import { actionsOf } from './logs.js';

const SETUP = [
  '1 memfd_create("a", MFD_CLOEXEC) = 3',
  '1 mmap(NULL, 8192, PROT_READ, MAP_SHARED, 3, 0) = 0x100000',
];
const THREAD = 'CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD';
const map = (mapping: number, space: number) => ({
  type: 'map',
  mapping,
  space,
  file: 1,
  address: 0x100000,
  length: 8192,
  offset: 0,
});
const unmap = (mapping: number, space: number) => ({
  type: 'unmap',
  mapping,
  space,
  address: 0x100000,
  length: 8192,
  gone: true,
});
const END = [unmap(1, 1), { type: 'release', file: 1 }];

async function after(lines: readonly string[]): Promise<unknown[]> {
  return (await actionsOf([...SETUP, ...lines])).slice(2);
}

describe('what a child shares', () => {
  test('a thread has the tables of its parent', async () => {
    const actions = await after([
      `1 clone3({flags=${THREAD}, child_tid=0x7f, exit_signal=0}, 88) = 2`,
      '2 ftruncate(3, 5) = 0',
      '2 munmap(0x100000, 8192) = 0',
      '2 close(3) = 0',
    ]);
    expect(actions).toEqual([{ type: 'resize', file: 1, bytes: 5 }, ...END]);
  });

  test('a fork has copies, which go with it', async () => {
    const actions = await after([
      '1 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 2',
      '2 close(3) = 0',
      '1 ftruncate(3, 5) = 0',
      '1 close(3) = 0',
      '1 munmap(0x100000, 8192) = 0',
      '2 +++ exited with 0 +++',
    ]);
    expect(actions).toEqual([
      map(2, 2),
      { type: 'resize', file: 1, bytes: 5 },
      unmap(1, 1),
      unmap(2, 2),
      { type: 'release', file: 1 },
    ]);
  });

  test('a process ends with the last of its threads', async () => {
    const actions = await after([
      '1 fork() = 2',
      `2 clone(child_stack=0x1, flags=${THREAD}) = 4`,
      '2 +++ exited with 0 +++',
      '4 ftruncate(3, 5) = 0',
      '4 +++ exited with 0 +++',
      '1 ftruncate(3, 6) = 0',
    ]);
    expect(actions).toEqual([
      map(2, 2),
      { type: 'resize', file: 1, bytes: 5 },
      unmap(2, 2),
      { type: 'resize', file: 1, bytes: 6 },
      ...END,
    ]);
  });

  test('CLONE_FILES without CLONE_VM, and the other way round', async () => {
    expect(await after(['1 clone(flags=CLONE_FILES|SIGCHLD) = 2', '2 close(3) = 0'])).toEqual([
      map(2, 2),
      unmap(2, 2),
      ...END,
    ]);
    expect(await after(['1 vfork() = 2', '2 close(3) = 0', '1 ftruncate(3, 5) = 0'])).toEqual([
      { type: 'resize', file: 1, bytes: 5 },
      ...END,
    ]);
  });

  test('a child may speak before its parent returns from the call', async () => {
    const actions = await after([
      '1 vfork( <unfinished ...>',
      '2 close(3) = 0',
      '2 +++ exited with 0 +++',
      '1 <... vfork resumed>) = 2',
      '1 ftruncate(3, 5) = 0',
    ]);
    expect(actions).toEqual([{ type: 'resize', file: 1, bytes: 5 }, ...END]);
  });

  test('DONTFORK keeps a mapping from the child', async () => {
    const actions = await after([
      '1 madvise(0x101000, 4096, MADV_DONTFORK) = 0',
      '1 fork() = 2',
      '1 munmap(0x100000, 8192) = 0',
    ]);
    expect(actions.slice(0, 3)).toEqual([
      { ...map(2, 2), length: 4096 },
      { ...unmap(1, 1), length: 4096, gone: false },
      { ...unmap(1, 1), address: 0x101000, length: 4096 },
    ]);
  });

  test('a thread nobody introduced lives on the first one tables', async () => {
    expect(await after(['9 ftruncate(3, 5) = 0', '9 +++ exited with 0 +++'])).toEqual([
      { type: 'resize', file: 1, bytes: 5 },
      ...END,
    ]);
  });
});

describe('execve', () => {
  const EXEC = 'execve("/bin/sh", ["sh"], 0x7ffe /* 3 vars */) = 0';

  test('of the first process drops its mappings and what is closed on exec', async () => {
    expect(await after([`1 ${EXEC}`, '1 ftruncate(3, 5) = 0'])).toEqual(END);
  });

  test('of a fork leaves its parent alone, whether the fork was logged or not', async () => {
    const tail = ['1 ftruncate(3, 5) = 0'];
    const resized = { type: 'resize', file: 1, bytes: 5 };
    expect(await after([`9 ${EXEC}`, '9 close(3) = 0', ...tail])).toEqual([resized, ...END]);
    expect(await after(['1 fork() = 2', `2 ${EXEC}`, ...tail])).toEqual([
      map(2, 2),
      unmap(2, 2),
      resized,
      ...END,
    ]);
  });
});
