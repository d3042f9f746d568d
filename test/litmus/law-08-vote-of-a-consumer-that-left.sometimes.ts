import { litmus } from '../explore/index.js';

export default litmus({
  law: 8,
  says: 'a page arrives although a consumer objected: it had left before its vote was counted',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    const refuses = await stage.listen(file, 'refuses', {
      votes: true,
      on: { prepare: () => stage.gate('votes').then(() => Promise.reject(new Error('no'))) },
    });
    return { file, refuses };
  },
  threads: {
    owner: { 'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1) },
    leaver: { unregister: ({ refuses }) => refuses.leave() },
  },
  seen: ({ file, refuses }) => file.populated().length > 0 && refuses.heard.length > 0,
});
