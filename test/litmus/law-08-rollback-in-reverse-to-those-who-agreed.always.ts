import { litmus } from '../explore/index.js';

export default litmus({
  law: 8,
  says: 'when the third of four refuses, the second and the first roll back, and nobody else',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    const told: string[] = [];
    for (const name of ['1', '2', '3', '4']) {
      await stage.listen(file, name, {
        votes: true,
        on: {
          prepare: () => {
            told.push(`prepare ${name}`);
            if (name === '3') throw new Error('no');
          },
          rollback: () => void told.push(`rollback ${name}`),
          fallocate: () => void told.push(`fallocate ${name}`),
        },
      });
    }
    return { file, told };
  },
  threads: {
    owner: { 'fallocate [0, 2)': ({ file }) => file.fallocate(0, 2) },
    other: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
  },
  seen: ({ told, file }) =>
    told.join() === 'prepare 1,prepare 2,prepare 3,rollback 2,rollback 1' &&
    file.populated().length === 0,
});
