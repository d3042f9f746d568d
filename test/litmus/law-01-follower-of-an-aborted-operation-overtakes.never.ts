import { litmus } from '../explore/index.js';

export default litmus({
  law: 1,
  says: 'an operation waits for a queued one that is aborted, and ends before what that waited for',
  setUp: async (stage) => {
    const file = stage.file('ram', 4);
    await file.fallocate(0, 4);
    await stage.listen(file, 'slow', { slow: ['invalidate'] });
    return { file, abort: new AbortController(), ended: [] as string[] };
  },
  threads: {
    owner: {
      'punch [0, 1), [0, 4) with a signal, and [0, 1) again': ({ file, abort, ended }) => {
        void file.punchHole(0, 1).then(() => ended.push('first'));
        file.punchHole(0, 4, { signal: abort.signal }).catch(() => {});
        void file.punchHole(0, 1).then(() => ended.push('last'));
      },
    },
    admin: { abort: ({ abort }) => abort.abort() },
  },
  seen: ({ ended }) => ended.join() !== 'first,last',
});
