import { litmus } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'anything of a consumer runs after its unregister has resolved',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const slow = ['invalidate', 'invalidateEnd', 'fallocate'] as const;
    const leaver = await stage.listen(file, 'leaver', { slow });
    return { file, leaver, heard: Infinity };
  },
  threads: {
    owner: {
      'punch [0, 1)': ({ file }) => file.punchHole(0, 1),
      'fallocate [0, 2)': ({ file }) => file.fallocate(0, 2),
    },
    leaver: {
      unregister: async (world) => {
        await world.leaver.leave();
        world.heard = world.leaver.heard.length;
      },
    },
  },
  seen: ({ leaver, heard }) => leaver.heard.length > heard,
});
