import { litmus } from '../explore/index.js';

export default litmus({
  law: 8,
  says: 'a page is looked up, or in a snapshot, while a consumer has not agreed to it',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await stage.listen(file, 'refuses', {
      votes: true,
      on: { prepare: () => stage.gate('votes').then(() => Promise.reject(new Error('no'))) },
    });
    const reader = await stage.listen(file, 'reader');
    return { stage, file, reader, found: false };
  },
  threads: {
    owner: { 'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1) },
    reader: {
      'look page 0 up': (world) => {
        world.found = world.reader.lookup(0) !== undefined;
      },
    },
    comer: {
      'register for page 1': async (world) => {
        const range = { start: 1, end: 2 };
        await world.stage.listen(world.file, 'comer', { range });
        world.found ||= world.file.populated().length > 0;
      },
    },
  },
  seen: ({ found }) => found,
});
