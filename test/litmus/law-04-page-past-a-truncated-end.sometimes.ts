import { litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a page past the end: fallocate came after the truncate and made the file grow again',
  setUp: async (stage) => {
    const file = stage.file('ram', 4);
    await file.fallocate(0, 4);
    await stage.listen(file, 'slow', { slow: ['invalidate'] });
    return { file };
  },
  threads: {
    one: { 'truncate to 1': ({ file }) => file.truncate(1) },
    two: { 'fallocate [0, 4)': ({ file }) => file.fallocate(0, 4) },
  },
  seen: ({ file }) => file.pages === 4 && file.populated(1).length > 0,
});
