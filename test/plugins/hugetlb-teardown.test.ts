import { expect, it } from 'vitest';
import { createMemfile } from '../../core/index.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';

it('after teardown the state stays what the journal says, whatever becomes of the pool', async () => {
  const store = hugetlb({ pool: 4 });
  const memfile = createMemfile({ plugins: [store] });
  const file = memfile.createFile('hugetlb', { size: 1024, reserve: true });
  await file.fallocate(0, 512);
  const consumer = await file.register({});
  const lease = consumer.lookup(3);
  await memfile[Symbol.asyncDispose]();
  const { position } = memfile.journal;
  expect(store.poolCounters()).toMatchObject({ total: 4, free: 3 });
  lease.put();
  expect(store.poolCounters()).toMatchObject({ total: 4, free: 4 });
  expect(() => store.resizePool(7)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  expect(() => store.resizePool(-1)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  expect(store.poolCounters().total).toBe(4);
  expect([memfile.journal.position, memfile.state.position]).toEqual([position, position]);
  expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
});
