import { litmus } from '../explore/index.js';

export default litmus({
  law: 5,
  says: 'a page arrives between snapshot and subscribe, and the consumer never learns of it',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await stage.listen(file, 'slow', { slow: ['fallocate'] });
    return { stage, file, comers: [] as { readonly pages: { has(page: number): boolean } }[] };
  },
  threads: {
    owner: { 'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1) },
    comer: {
      register: async ({ stage, file, comers }) => {
        comers.push(await stage.listen(file, 'comer'));
      },
    },
  },
  seen: ({ comers }) => comers.some(({ pages }) => !pages.has(0)),
});
