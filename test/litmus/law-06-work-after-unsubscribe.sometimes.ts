import { litmus } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'work of a callback goes on after unsubscribe, which waits for nothing',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const world = { file, left: false, worked: false };
    const leaver = await stage.listen(file, 'leaver', {
      on: {
        invalidate: async () => {
          await stage.gate('the leaver works');
          world.worked = world.left;
        },
      },
    });
    return Object.assign(world, { leaver });
  },
  threads: {
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    leaver: {
      unsubscribe: (world) => {
        world.leaver.unsubscribe();
        world.left = true;
      },
    },
  },
  seen: ({ worked }) => worked,
});
