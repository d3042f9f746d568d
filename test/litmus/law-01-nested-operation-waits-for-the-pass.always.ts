import { litmus } from '../explore/index.js';

export default litmus({
  law: 1,
  says: 'what a callback starts is told after everybody has been told of what came before it',
  setUp: async (stage) => {
    const file = stage.file('ram', 4);
    await file.fallocate(0, 2);
    const heard: string[] = [];
    const hear =
      (name: string) => (start: number, _end: number, event: { readonly type: string }) =>
        void heard.push(`${name} ${event.type} ${start}`);
    await stage.listen(file, 'old', { on: { invalidate: hear('old'), fallocate: hear('old') } });
    await stage.listen(file, 'new', {
      on: {
        fallocate: hear('new'),
        invalidate: (start, end, event) => {
          hear('new')(start, end, event);
          void file.fallocate(2, 4);
        },
      },
    });
    return { file, heard };
  },
  threads: {
    one: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    two: { 'lookups go on': () => {} },
  },
  seen: ({ heard }) =>
    heard.join() === 'new invalidate 0,old invalidate 0,old fallocate 2,new fallocate 2',
});
