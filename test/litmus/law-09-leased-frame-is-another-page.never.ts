import { litmus } from '../explore/index.js';

export default litmus({
  law: 9,
  says: 'a frame is another page while a lease of it is out',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    const other = stage.file('other', 1);
    await file.fallocate(0, 1);
    const holder = await stage.listen(file, 'holder');
    const reader = await stage.listen(other, 'reader');
    const world = { file, other, holder, reader, held: holder.lookup(0)!.pfn, reused: false };
    return world;
  },
  threads: {
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    other: {
      'fallocate in another file': ({ other }) => other.fallocate(0, 1),
      'look it up and put it': (world) => {
        world.reused = world.reader.lookup(0)!.pfn === world.held;
        world.reader.put();
      },
    },
    holder: {
      put: (world) => {
        world.holder.put();
        world.held = -1;
      },
    },
  },
  seen: ({ reused }) => reused,
});
