import { litmus } from '../explore/index.js';

export default litmus({
  law: 8,
  says: 'a consumer of private pages finds one that it has not been told of',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    await stage.listen(file, 'process', { access: 'shared', slow: ['invalidateEnd'] });
    const vm = await stage.listen(file, 'vm', { access: 'private' });
    return { file, vm, found: false };
  },
  threads: {
    vmm: { 'make [0, 1) private': ({ file }) => file.convert(0, 1, 'private') },
    vm: {
      'look page 0 up': (world) => {
        const told = world.vm.heard.includes('fallocate [0, 1)');
        world.found = world.vm.lookup(0) !== undefined && !told;
      },
      put: ({ vm }) => vm.put(),
    },
  },
  seen: ({ found }) => found,
});
