import { litmus } from '../explore/index.js';

export default litmus({
  law: 5,
  says: 'a consumer registers while a page is leaving, and finds it in its snapshot',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 1);
    await stage.listen(file, 'slow', { slow: ['invalidate', 'invalidateEnd'] });
    return { stage, file, punching: false, caught: false };
  },
  threads: {
    owner: {
      'punch [0, 1)': async (world) => {
        world.punching = true;
        await world.file.punchHole(0, 1);
      },
    },
    comer: {
      register: async (world) => {
        const { punching } = world;
        const comer = await world.stage.listen(world.file, 'comer');
        world.caught = punching && comer.registration.snapshot.length > 0;
      },
    },
  },
  seen: ({ caught }) => caught,
});
