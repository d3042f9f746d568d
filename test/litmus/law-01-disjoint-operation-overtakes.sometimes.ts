import { litmus } from '../explore/index.js';

export default litmus({
  law: 1,
  says: 'a punch ends before an earlier one of other pages, whose consumer takes its time',
  setUp: async (stage) => {
    const file = stage.file('ram', 4);
    await file.fallocate(0, 4);
    await stage.listen(file, 'slow', { range: { start: 0, end: 1 }, slow: ['invalidate'] });
    return { file, ended: [] as string[] };
  },
  threads: {
    one: {
      'punch [0, 1)': async ({ file, ended }) => {
        await file.punchHole(0, 1);
        ended.push('one');
      },
    },
    two: {
      'punch [2, 3)': async ({ file, ended }) => {
        await file.punchHole(2, 3);
        ended.push('two');
      },
    },
  },
  seen: ({ ended }) => ended.join() === 'two,one',
});
