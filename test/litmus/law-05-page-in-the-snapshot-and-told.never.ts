import { litmus, type Listener } from '../explore/index.js';

export default litmus({
  law: 5,
  says: 'a page is in the snapshot of a consumer that is told of its arrival as well',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await stage.listen(file, 'slow', { slow: ['fallocate'] });
    return { stage, file, comers: [] as Listener[] };
  },
  threads: {
    one: { 'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1) },
    two: { 'fallocate [0, 2)': ({ file }) => file.fallocate(0, 2) },
    comer: {
      register: async ({ stage, file, comers }) => {
        comers.push(await stage.listen(file, 'comer'));
      },
    },
  },
  seen: ({ comers }) =>
    comers.some(({ registration, heard }) => {
      const told = (page: number): boolean => heard.includes(`fallocate [${page}, ${page + 1})`);
      return registration.snapshot.some(({ start, end }) => {
        for (let page = start; page < end; page++) if (told(page)) return true;
        return false;
      });
    }),
});
