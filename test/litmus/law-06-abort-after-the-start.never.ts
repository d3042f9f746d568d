import { litmus } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'an operation that was told to consumers answers EINTR',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const slow = await stage.listen(file, 'slow', { slow: ['invalidate'] });
    return { file, slow, abort: new AbortController(), answer: '' };
  },
  threads: {
    one: { 'punch [1, 2)': ({ file }) => file.punchHole(1, 2) },
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
  seen: ({ answer, slow }) => answer === 'EINTR' && slow.heard.includes('invalidate [0, 2)'),
});
