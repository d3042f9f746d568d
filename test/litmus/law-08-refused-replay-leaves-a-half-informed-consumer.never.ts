import { litmus } from '../explore/index.js';

export default litmus({
  law: 8,
  says: 'a consumer that refused what was there before it is still in the list',
  setUp: async (stage) => {
    const file = stage.file('ram', 4);
    await file.fallocate(0, 1);
    await file.fallocate(2, 3);
    return { file, told: [] as string[], refused: false };
  },
  threads: {
    comer: {
      'register with replay, refuse [2, 3)': async (world) => {
        const { file, told } = world;
        const notifier = {
          prepare: (start: number) => {
            if (start === 2) throw new Error('no');
          },
          rollback: (start: number) => void told.push(`rollback ${start}`),
          fallocate: (start: number) => void told.push(`fallocate ${start}`),
        };
        await file.register(notifier, { replay: true }).catch(() => (world.refused = true));
      },
    },
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
  },
  seen: ({ file, told, refused }) =>
    !refused || file.registrations > 0 || told.some((what) => what.startsWith('fallocate')),
});
