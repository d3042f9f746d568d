import { createMemfile } from '../../core/index.js';
import { litmus } from '../explore/index.js';
import { shmem } from '../../plugins/shmem/index.js';

export default litmus({
  law: 12,
  says: 'teardown closes a store while a consumer still works on pages of it',
  setUp: async (stage) => {
    const world = { working: 0, early: false, closed: false };
    const store = {
      ...shmem(),
      close: () => {
        world.closed = true;
        world.early = world.working > 0;
      },
    };
    const clock = { now: () => 0, after: () => () => {} };
    const memfile = createMemfile({ plugins: [store], scheduler: stage, clock });
    const file = memfile.createFile('shmem', { size: 2 });
    await file.fallocate(0, 2);
    await file.register({
      name: 'busy',
      invalidate: async () => {
        world.working++;
        await stage.gate('the consumer is done');
        world.working--;
      },
    });
    return Object.assign(world, { memfile, file });
  },
  threads: {
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    closer: { 'tear down': ({ memfile }) => memfile[Symbol.asyncDispose]() },
  },
  seen: ({ early, closed }) => early || !closed,
});
