import { litmus } from '../explore/index.js';

export default litmus({
  law: 8,
  says: 'a conversion that one consumer refuses leaves the page shared, and the others roll back',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const agrees = await stage.listen(file, 'agrees', { votes: true, slow: ['prepare'] });
    await stage.listen(file, 'refuses', {
      votes: true,
      on: {
        prepare: () => {
          throw new Error('no');
        },
      },
    });
    return { stage, file, agrees };
  },
  threads: {
    vmm: { 'make [0, 1) private': ({ file }) => file.convert(0, 1, 'private') },
    other: { 'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1) },
  },
  seen: ({ stage, file, agrees }) =>
    !stage.state.files.get(file.id)!.private.has(0) &&
    agrees.heard.join() === 'prepare [0, 1),rollback [0, 1)',
});
