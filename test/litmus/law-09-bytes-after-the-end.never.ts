import { litmus } from '../explore/index.js';

export default litmus({
  law: 9,
  says: 'the bytes of a page are reached through a lease after the page has left',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const holder = await stage.listen(file, 'holder', { slow: ['invalidate', 'invalidateEnd'] });
    return { file, holder, lease: holder.lookup(0)!, ended: false, reached: false };
  },
  threads: {
    owner: {
      'punch [0, 1)': async (world) => {
        await world.file.punchHole(0, 1);
        world.ended = true;
      },
    },
    holder: {
      'read the bytes': (world) => {
        const { ended, lease } = world;
        world.reached = lease.bytes().length > 0 && ended;
      },
      put: ({ holder }) => holder.put(),
    },
  },
  seen: ({ reached }) => reached,
});
