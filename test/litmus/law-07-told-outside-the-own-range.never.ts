import { litmus } from '../explore/index.js';

export default litmus({
  law: 7,
  says: 'a consumer of pages [1, 3) is told anything but the part of an event inside them',
  setUp: async (stage) => {
    const file = stage.file('ram', 4);
    const middle = await stage.listen(file, 'middle', { range: { start: 1, end: 3 } });
    await stage.listen(file, 'slow', { slow: ['invalidate'] });
    return { file, middle };
  },
  threads: {
    one: { 'fallocate [0, 2)': ({ file }) => file.fallocate(0, 2) },
    two: { 'punch [2, 4)': ({ file }) => file.punchHole(2, 4) },
    three: { 'truncate to 0': ({ file }) => file.truncate(0) },
  },
  seen: ({ middle }) => middle.heard.some((what) => !/\[(1, 2|2, 3|1, 3)\)$/.test(what)),
});
