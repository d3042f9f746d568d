import { litmus } from '../explore/index.js';

export default litmus({
  law: 8,
  says: 'a page is made private while a lease of it is out',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const holder = await stage.listen(file, 'holder', { slow: ['invalidate'] });
    const attributes = stage.state.files.get(file.id)!.private;
    const world = { file, holder, attributes, held: false, caught: false };
    stage.checks.push(() => {
      world.caught ||= world.held && attributes.has(0);
    });
    return world;
  },
  threads: {
    vmm: { 'make [0, 1) private': ({ file }) => file.convert(0, 1, 'private') },
    holder: {
      'look page 0 up, unless it is private': (world) => {
        if (world.attributes.has(0)) return;
        world.held = true;
        world.holder.lookup(0);
      },
      put: (world) => {
        world.held = false;
        world.holder.put();
      },
    },
  },
  seen: ({ caught }) => caught,
});
