import { litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a page is looked up after its frame was reported to be broken',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const reader = await stage.listen(file, 'reader', { slow: ['invalidate', 'error'] });
    return { file, reader, poisoned: false, found: false };
  },
  threads: {
    host: {
      'poison page 0': async (world) => {
        await world.file.poison(0);
        world.poisoned = true;
      },
    },
    reader: {
      'look page 0 up': (world) => {
        const { poisoned } = world;
        world.found = world.reader.lookup(0) !== undefined && poisoned;
      },
      put: ({ reader }) => reader.put(),
    },
  },
  seen: ({ found }) => found,
});
