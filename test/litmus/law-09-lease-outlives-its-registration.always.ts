import { litmus } from '../explore/index.js';

export default litmus({
  law: 9,
  says: 'a lease of a consumer that left stays counted under its name until it is put',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const holder = await stage.listen(file, 'holder');
    return { stage, file, holder, lease: holder.lookup(0)!, counted: [] as string[] };
  },
  threads: {
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    holder: {
      unregister: ({ holder }) => holder.leave(),
      'count, put, count': ({ stage, lease, holder, counted }) => {
        const owners = (): string =>
          stage.state
            .toJSON()
            .leases.map(({ owner }) => owner)
            .join();
        counted.push(owners());
        holder.put();
        counted.push(owners(), lease.owner);
      },
    },
  },
  seen: ({ counted }) => counted.join(' ') === 'holder  holder',
});
