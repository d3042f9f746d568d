import { litmus } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'a signal cancels an operation that is queued: EINTR, and nothing happened',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    await stage.listen(file, 'slow', { slow: ['invalidate'] });
    return { stage, file, abort: new AbortController(), answer: '' };
  },
  threads: {
    one: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    two: {
      'punch [0, 2)': async (world) => {
        const { file, abort } = world;
        await file.punchHole(0, 2, { signal: abort.signal }).catch(({ code }) => {
          world.answer = code;
        });
      },
    },
    admin: { abort: ({ abort }) => abort.abort() },
  },
  seen: ({ answer, file }) => answer === 'EINTR' && file.populated(1, 2).length === 1,
});
