import { litmus } from '../explore/index.js';

export default litmus({
  law: 7,
  says: 'an invalidation is told for its whole range, populated or not',
  setUp: async (stage) => {
    const file = stage.file('ram', 4);
    const all = await stage.listen(file, 'all');
    return { file, all };
  },
  threads: {
    one: { 'punch [0, 4)': ({ file }) => file.punchHole(0, 4) },
    two: { 'fallocate [1, 2)': ({ file }) => file.fallocate(1, 2) },
  },
  seen: ({ all }) => all.heard.includes('invalidate [0, 4)'),
});
