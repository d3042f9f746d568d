import { litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a consumer of shared pages looks a page up that was made private',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const device = await stage.listen(file, 'device', { access: 'shared', slow: ['invalidate'] });
    return { file, device, converted: false, found: false };
  },
  threads: {
    vmm: {
      'make [0, 1) private': async (world) => {
        await world.file.convert(0, 1, 'private');
        world.converted = true;
      },
    },
    device: {
      'look page 0 up': (world) => {
        const { converted } = world;
        world.found = world.device.lookup(0) !== undefined && converted;
      },
      put: ({ device }) => device.put(),
    },
  },
  seen: ({ found }) => found,
});
