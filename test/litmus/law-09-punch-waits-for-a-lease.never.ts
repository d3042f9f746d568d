import { litmus } from '../explore/index.js';

export default litmus({
  law: 9,
  says: 'a punch is not over before a lease of its page is put',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const holder = await stage.listen(file, 'holder');
    holder.lookup(0);
    return { file, holder, begun: false, ended: false, waited: false };
  },
  threads: {
    owner: {
      'punch [0, 1)': async (world) => {
        world.begun = true;
        await world.file.punchHole(0, 1);
        world.ended = true;
      },
    },
    holder: {
      put: (world) => {
        world.waited = world.begun && !world.ended;
        world.holder.put();
      },
    },
  },
  seen: ({ waited }) => waited,
});
