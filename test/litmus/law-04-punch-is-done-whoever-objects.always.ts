import { litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a punch takes the page away although a consumer throws and another one leaves',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const leaver = await stage.listen(file, 'leaver', { slow: ['invalidate'] });
    await stage.listen(file, 'objects', {
      on: {
        invalidate: () => {
          throw new Error('I object');
        },
      },
    });
    return { file, leaver };
  },
  threads: {
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    leaver: { unregister: ({ leaver }) => leaver.leave() },
  },
  seen: ({ file }) => file.populated().length === 0,
});
