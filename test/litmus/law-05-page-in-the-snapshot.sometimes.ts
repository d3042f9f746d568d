import { litmus } from '../explore/index.js';

export default litmus({
  law: 5,
  says: 'a new consumer learns of a page by its snapshot and is not told of it',
  setUp: (stage) => ({ stage, file: stage.file('ram', 2), how: '' }),
  threads: {
    owner: { 'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1) },
    comer: {
      register: async (world) => {
        const comer = await world.stage.listen(world.file, 'comer');
        const { snapshot } = comer.registration;
        world.how = `${snapshot.length} in the snapshot, ${comer.heard.length} told`;
      },
    },
  },
  seen: ({ how }) => how === '1 in the snapshot, 0 told',
});
