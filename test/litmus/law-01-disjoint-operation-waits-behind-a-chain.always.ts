import { litmus } from '../explore/index.js';

export default litmus({
  law: 1,
  says: 'of three punches that overlap like links of a chain, the last ends after the first',
  setUp: async (stage) => {
    const file = stage.file('ram', 4);
    await file.fallocate(0, 4);
    await stage.listen(file, 'slow', { range: { start: 0, end: 1 }, slow: ['invalidate'] });
    await stage.listen(file, 'other', { range: { start: 3, end: 4 }, slow: ['invalidate'] });
    return { file, ended: [] as number[] };
  },
  threads: {
    owner: {
      'punch [0, 2), [1, 3) and [2, 4), awaiting none': ({ file, ended }) => {
        for (const start of [0, 1, 2]) {
          void file.punchHole(start, start + 2).then(() => ended.push(start));
        }
      },
    },
    reader: { 'read what is there': ({ file }) => void file.populated() },
  },
  seen: ({ ended }) => ended.join() === '0,1,2',
});
