import { litmus } from '../explore/index.js';

export default litmus({
  law: 8,
  says: 'a refused fallocate takes nothing away that was there before, and tells of no departure',
  setUp: async (stage) => {
    const file = stage.file('ram', 3);
    await file.fallocate(1, 2);
    const reader = await stage.listen(file, 'reader');
    await stage.listen(file, 'refuses', {
      votes: true,
      on: {
        prepare: () => {
          throw new Error('no');
        },
      },
    });
    return { file, reader, frame: reader.lookup(1)!.pfn };
  },
  threads: {
    owner: { 'fallocate [0, 3)': ({ file }) => file.fallocate(0, 3) },
    reader: { 'put page 1': ({ reader }) => reader.put() },
  },
  seen: ({ file, reader }) =>
    JSON.stringify(file.populated()) === '[{"start":1,"end":2}]' && reader.heard.length === 0,
});
