import { litmus } from '../explore/index.js';

export default litmus({
  law: 3,
  says: 'a consumer is told anything after it has unsubscribed',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    await stage.listen(file, 'slow', { slow: ['invalidate'] });
    const leaver = await stage.listen(file, 'leaver', { slow: ['invalidate'] });
    return { file, leaver, heard: -1 };
  },
  threads: {
    owner: {
      'punch [0, 2)': ({ file }) => file.punchHole(0, 2),
      'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1),
    },
    leaver: {
      unsubscribe: (world) => {
        world.leaver.unsubscribe();
        world.heard = world.leaver.heard.length;
      },
    },
  },
  seen: ({ leaver, heard }) => leaver.heard.length > heard,
});
