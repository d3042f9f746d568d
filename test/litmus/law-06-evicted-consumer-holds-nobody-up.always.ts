import { litmus } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'a punch ends although a consumer never lets go, once that is evicted',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const stuck = await stage.listen(file, 'stuck', {
      on: { invalidate: () => new Promise(() => {}) },
    });
    return { file, stuck, ended: false };
  },
  threads: {
    owner: {
      'punch [0, 1)': async (world) => {
        await world.file.punchHole(0, 1).finally(() => (world.ended = true));
      },
    },
    admin: { 'evict the consumer': ({ stuck }) => stuck.evict() },
  },
  seen: ({ ended, file }) => ended && file.populated().length === 0,
});
