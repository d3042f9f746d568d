import { litmus } from '../explore/index.js';

export default litmus({
  law: 8,
  says: 'of two stretches of new pages, the one asked about last is rolled back first',
  setUp: async (stage) => {
    const file = stage.file('ram', 3);
    await file.fallocate(1, 2);
    const rolledBack: number[] = [];
    await stage.listen(file, 'agrees', {
      votes: true,
      slow: ['prepare'],
      on: { rollback: (start) => void rolledBack.push(start) },
    });
    await stage.listen(file, 'refuses', {
      votes: true,
      on: {
        prepare: (start) => {
          if (start === 2) throw new Error('no');
        },
        rollback: (start) => void rolledBack.push(start),
      },
    });
    return { file, rolledBack };
  },
  threads: {
    owner: { 'fallocate [0, 3)': ({ file }) => file.fallocate(0, 3) },
    other: { 'read what is there': ({ file }) => void file.populated() },
  },
  seen: ({ rolledBack }) => rolledBack.join() === '2,0,0',
});
