import { litmus } from '../explore/index.js';

export default litmus({
  law: 1,
  says: 'begins are told newest first and ends in the reverse order, however long each takes',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const order: string[] = [];
    for (const name of ['old', 'new']) {
      const slow = ['invalidate', 'invalidateEnd'] as const;
      const tell = (_start: number, _end: number, { type }: { readonly type: string }): void =>
        void order.push(`${name} ${type}`);
      await stage.listen(file, name, { slow, on: { invalidate: tell, invalidateEnd: tell } });
    }
    return { file, order };
  },
  threads: { owner: { 'punch [0, 2)': ({ file }) => file.punchHole(0, 2) } },
  seen: ({ order }) =>
    order.join() === 'new invalidate,old invalidate,old invalidateEnd,new invalidateEnd',
});
