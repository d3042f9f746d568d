import { expect, it } from 'vitest';
import { createMemfile, type NotifierEvent } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { recordingConsumer } from '../kit/index.js';

it.each([{}, { range: { start: 0, end: 4 } }])(
  'law 8: who votes is asked, whoever without a vote has left (%o)',
  async (options) => {
    await using memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 8 });
    const voter = recordingConsumer({ votes: true });
    await file.register(voter, options);
    const other = await file.register(recordingConsumer(), options);
    await other.unregister();
    await file.fallocate(0, 2);
    expect(voter.lines).toEqual(['prepare [0, 2)', 'fallocate [0, 2)']);
  },
);

it('EINVAL: a voter that waits for what is no promise refuses, and the error says why', async () => {
  await using memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: 8 });
  const prepare = (_start: number, _end: number, { waitUntil }: NotifierEvent): void =>
    waitUntil(5 as never);
  await file.register({ prepare }, { name: 'vm' });
  await expect(file.fallocate(0, 2)).rejects.toMatchObject({
    effect: 'none',
    message: expect.stringContaining('EINVAL: invalid argument, waitUntil: needs a promise'),
  });
  expect(file.populated()).toEqual([]);
});
