import { KvmVm, newFault } from '../../adapters/kvm/index.js';
import { judgeMappings, ledgerFile, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a guest page is mapped after its slot has been deleted',
  setUp: async (stage) => {
    const { store, file } = ledgerFile(stage, 2);
    await file.fallocate(0, 2);
    const vm = new KvmVm({ scheduler: stage, witness: stage.model });
    await vm.setMemslot({
      slot: 0,
      gfn: 10,
      pages: 2,
      pieces: [{ gfn: 10, pages: 2, file, offset: 0 }],
    });
    judgeMappings(stage, store, () => vm.stage2.mappings());
    return { vm, fault: newFault(10) };
  },
  threads: {
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
    vmm: { 'delete the slot': ({ vm }) => vm.setMemslot({ slot: 0, gfn: 0, pages: 0 }) },
  },
  seen: ({ vm, fault }) =>
    vm.stage2.mappings().length > 0 || vm.srcu.readers > 0 || fault.next !== 'done',
});
