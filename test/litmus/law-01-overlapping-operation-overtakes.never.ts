import { litmus } from '../explore/index.js';

export default litmus({
  law: 1,
  says: 'an operation ends before an earlier one that it overlaps',
  setUp: async (stage) => {
    const file = stage.file('ram', 4);
    await file.fallocate(0, 4);
    await stage.listen(file, 'slow', { slow: ['invalidate', 'invalidateEnd', 'fallocate'] });
    return { file, begun: [] as string[], ended: [] as string[] };
  },
  threads: {
    one: {
      'punch [0, 2)': async ({ file, begun, ended }) => {
        begun.push('one');
        await file.punchHole(0, 2);
        ended.push('one');
      },
    },
    two: {
      'fallocate [1, 3)': async ({ file, begun, ended }) => {
        begun.push('two');
        await file.fallocate(1, 3);
        ended.push('two');
      },
    },
    three: {
      'truncate to 1': async ({ file, begun, ended }) => {
        begun.push('three');
        await file.truncate(1);
        ended.push('three');
      },
    },
  },
  seen: ({ begun, ended }) => begun.join() !== ended.join(),
});
