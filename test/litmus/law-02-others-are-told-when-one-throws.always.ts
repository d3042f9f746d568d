import { litmus } from '../explore/index.js';

export default litmus({
  law: 2,
  says: 'one consumer throws and one rejects; the third is told both ends, and the punch says EIO',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const world = { file, third: await stage.listen(file, 'third'), error: '' };
    await stage.listen(file, 'throws', {
      on: {
        invalidate: () => {
          throw new Error('cannot');
        },
      },
    });
    await stage.listen(file, 'rejects', {
      on: { invalidate: () => stage.gate('rejects').then(() => Promise.reject(new Error('no'))) },
    });
    return world;
  },
  threads: {
    owner: {
      'punch [0, 1)': async (world) => {
        await world.file.punchHole(0, 1).catch(({ code, effect }) => {
          world.error = `${code} ${effect}`;
        });
      },
    },
    other: { 'fallocate [1, 2)': ({ file }) => file.fallocate(1, 2) },
  },
  seen: ({ third, error }) =>
    third.heard.join(' ') === 'invalidate [0, 1) invalidateEnd [0, 1)' && error === 'EIO done',
});
