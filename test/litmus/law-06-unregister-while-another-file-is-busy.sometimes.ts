import { litmus } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'a consumer of one file is gone while a callback on another file still works',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    const other = stage.file('other', 1);
    await other.fallocate(0, 1);
    const leaver = await stage.listen(file, 'leaver');
    const busy = await stage.listen(other, 'busy', { slow: ['invalidate'] });
    return { other, leaver, busy, apart: false };
  },
  threads: {
    owner: { 'punch the other file': ({ other }) => other.punchHole(0, 1) },
    leaver: {
      unregister: async (world) => {
        await world.leaver.leave();
        world.apart = world.busy.heard.length === 1;
      },
    },
  },
  seen: ({ apart }) => apart,
});
