import { litmus } from '../explore/index.js';

export default litmus({
  law: 7,
  says: 'two allocations overlap, and every page is told of once',
  setUp: async (stage) => {
    const file = stage.file('ram', 3);
    const all = await stage.listen(file, 'all', { slow: ['fallocate'] });
    return { file, all };
  },
  threads: {
    one: { 'fallocate [0, 2)': ({ file }) => file.fallocate(0, 2) },
    two: { 'fallocate [1, 3)': ({ file }) => file.fallocate(1, 3) },
  },
  seen: ({ all }) => {
    const told = all.heard.join();
    return ['fallocate [0, 2),fallocate [2, 3)', 'fallocate [1, 3),fallocate [0, 1)'].includes(
      told,
    );
  },
});
