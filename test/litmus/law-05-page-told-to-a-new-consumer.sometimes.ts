import { litmus } from '../explore/index.js';

export default litmus({
  law: 5,
  says: 'a new consumer has an empty snapshot and is told of the page',
  setUp: (stage) => ({ stage, file: stage.file('ram', 2), heard: [] as string[][] }),
  threads: {
    owner: { 'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1) },
    comer: {
      register: async ({ stage, file, heard }) => {
        const comer = await stage.listen(file, 'comer');
        stage.checks.push(() => heard.push(comer.heard));
      },
    },
  },
  seen: ({ heard }) => heard.at(-1)?.join() === 'fallocate [0, 1)',
});
