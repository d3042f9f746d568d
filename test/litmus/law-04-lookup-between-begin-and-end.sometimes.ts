import { litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'between begin and end a lookup still answers the old page',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const reader = await stage.listen(file, 'reader', { slow: ['invalidate'] });
    return { file, reader, found: false };
  },
  threads: {
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    reader: {
      'look page 0 up': (world) => {
        const told = world.reader.heard.length === 1;
        world.found = world.reader.lookup(0) !== undefined && told;
      },
      'put it': ({ reader }) => reader.put(),
    },
  },
  seen: ({ found }) => found,
});
