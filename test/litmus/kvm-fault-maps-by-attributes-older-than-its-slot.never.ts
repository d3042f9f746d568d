import { KvmVm, newFault } from '../../adapters/kvm/index.js';
import { judgeMappings, ledgerFile, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a page that its file says is private is mapped shared, in a slot younger than the fault',
  setUp: async (stage) => {
    const { store, file } = ledgerFile(stage, 1);
    await file.fallocate(0, 1);
    await file.convert(0, 1, 'private');
    const vm = new KvmVm({ scheduler: stage, witness: stage.model });
    judgeMappings(stage, store, () => vm.stage2.mappings());
    return { file, vm, fault: newFault(10) };
  },
  threads: {
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
    vmm: {
      'set a slot over the file': ({ vm, file }) =>
        vm.setMemslot({ slot: 0, gfn: 10, pages: 1, guestMemfd: { file, offset: 0 } }),
    },
  },
  seen: ({ vm }) => vm.stage2.get(10) >= 0,
});
