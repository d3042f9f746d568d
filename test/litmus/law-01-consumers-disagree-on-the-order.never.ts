import { litmus } from '../explore/index.js';

export default litmus({
  law: 1,
  says: 'two consumers of the same pages are told the same events in different orders',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const first = await stage.listen(file, 'first', { slow: ['invalidate'] });
    const second = await stage.listen(file, 'second');
    return { file, first, second };
  },
  threads: {
    one: { 'punch [0, 2)': ({ file }) => file.punchHole(0, 2) },
    two: { 'fallocate [0, 2)': ({ file }) => file.fallocate(0, 2) },
    three: { 'punch [1, 2)': ({ file }) => file.punchHole(1, 2) },
  },
  seen: ({ first, second }) => first.heard.join() !== second.heard.join(),
});
