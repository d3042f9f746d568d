import { litmus } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'synchronize resolves while a section is open that was open when it was called',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const world = { file, open: false, early: false };
    await stage.listen(file, 'busy', {
      on: {
        invalidate: async () => {
          world.open = true;
          await stage.gate('the consumer is done');
          world.open = false;
        },
      },
    });
    return world;
  },
  threads: {
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    waiter: {
      synchronize: async (world) => {
        const { open } = world;
        await world.file.synchronize();
        world.early = open && world.open;
      },
    },
  },
  seen: ({ early }) => early,
});
