import { expect, it } from 'vitest';
import { createMemfile, type MemoryFile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

const unreadable = () => ({
  get content(): never {
    throw new Error('unreadable');
  },
  get name(): never {
    throw new Error('unreadable');
  },
  get reason(): never {
    throw new Error('unreadable');
  },
});
const cost = (): number => 1;

/** What no type allows, and JavaScript does. */
type Loose = Record<keyof MemoryFile, (...args: unknown[]) => Promise<unknown>>;

const setUp = async () => {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: 4 });
  await file.fallocate(0, 4);
  return { memfile, file, loose: file as unknown as Loose };
};

it.each<[method: string, args: () => unknown[]]>([
  ['poison', () => [0n]],
  ['poison', () => [Symbol('page')]],
  ['poison', () => ['0']],
  ['truncate', () => [1n]],
  ['truncate', () => [Symbol('pages')]],
  ['truncate', () => [2, unreadable()]],
  ['convert', () => [0, 1, 'private', unreadable()]],
  ['register', () => [{}, unreadable()]],
  ['register', () => [unreadable()]],
  ['register', () => [{}, { budget: { limit: 1, cost } }]],
  ['register', () => [{}, { budget: { limit: 1, used: '0', cost } }]],
  ['register', () => [{}, { budget: { limit: 1, used: -1, cost } }]],
  ['register', () => [{}, { budget: { limit: 9, used: 0, cost: () => -1 } }]],
  ['register', () => [{}, { budget: { limit: 9, used: 0, cost: () => '1' } }]],
])('%s, %s: rejects with EINVAL and changes nothing', async (method, args) => {
  const { memfile, loose } = await setUp();
  const { position } = memfile.state;
  const promise = loose[method as keyof MemoryFile](...args());
  await expect(promise).rejects.toMatchObject({ code: 'EINVAL', effect: 'none' });
  expect(memfile.state.position).toBe(position);
});

it.each<[string, unknown[]]>([
  ['isPrivate', [null]],
  ['isPrivate', ['0']],
  ['isPrivate', [-1]],
  ['populated', [0, 10, 'x']],
  ['populated', [0, 10, null]],
])('%s with %o throws EINVAL', async (method, args) => {
  const { loose } = await setUp();
  const call = (): unknown => loose[method as keyof MemoryFile](...args);
  expect(call).toThrow(expect.objectContaining({ code: 'EINVAL', syscall: method }));
});
