import { litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a page is looked up after its punch has ended',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const slow = ['invalidate', 'invalidateEnd'] as const;
    const reader = await stage.listen(file, 'reader', { slow });
    return { file, reader, ended: false, found: false };
  },
  threads: {
    owner: {
      'punch [0, 1)': async (world) => {
        await world.file.punchHole(0, 1);
        world.ended = true;
      },
    },
    reader: {
      'look page 0 up': (world) => {
        const { ended } = world;
        world.found = world.reader.lookup(0) !== undefined && ended;
      },
      'put it': ({ reader }) => reader.put(),
    },
  },
  seen: ({ found }) => found,
});
