import { expect, it } from 'vitest';
import { createMemfile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

it('law 1: of operations that may run after a turn, the one that was submitted first does', async () => {
  await using memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: 16 });
  let letGo = (): void => {};
  const told: string[] = [];
  const operations: Promise<void>[] = [];
  await file.register({
    invalidate(start, end) {
      told.push(`[${start}, ${end})`);
      return told.length > 1 ? undefined : new Promise<void>((resolve) => (letGo = resolve));
    },
    invalidateEnd() {
      if (operations.length === 2) operations.push(file.punchHole(8, 9));
    },
  });
  operations.push(file.punchHole(0, 4), file.punchHole(2, 3));
  letGo();
  await Promise.all(operations);
  await Promise.all(operations);
  expect(told).toEqual(['[0, 4)', '[2, 3)', '[8, 9)']);
});
