import { litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a frame is another page while a consumer that was told to let go of it still holds it',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    const other = stage.file('other', 1);
    await file.fallocate(0, 1);
    const world = { file, other, held: -1, reused: false, stage };
    const holder = await stage.listen(file, 'holder', {
      on: {
        invalidate: async () => {
          await stage.gate('the holder lets go');
          world.held = -1;
        },
      },
    });
    world.held = holder.lookup(0)!.pfn;
    holder.put();
    return world;
  },
  threads: {
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    other: {
      'fallocate in another file': async (world) => {
        await world.other.fallocate(0, 1);
        const frames = world.stage.state.files.get(world.other.id)!.frames;
        world.reused = frames.get(0) === world.held;
      },
    },
  },
  seen: ({ reused }) => reused,
});
