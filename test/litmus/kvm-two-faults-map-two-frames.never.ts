import { KvmVm, newFault } from '../../adapters/kvm/index.js';
import { judgeMappings, ledgerFile, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 9,
  says: 'two faults of one page leave it mapped to another frame than the file has, or a pin out',
  setUp: async (stage) => {
    const { store, file } = ledgerFile(stage, 1);
    await file.fallocate(0, 1);
    const vm = new KvmVm({ scheduler: stage, witness: stage.model });
    await vm.setMemslot({
      slot: 0,
      gfn: 10,
      pages: 1,
      pieces: [{ gfn: 10, pages: 1, file, offset: 0 }],
    });
    judgeMappings(stage, store, () => vm.stage2.mappings());
    return { store, file, vm, faults: [newFault(10), newFault(10, { write: true })] as const };
  },
  threads: {
    one: { 'fault at guest page 10': ({ vm, faults }) => stepFault(vm, faults[0]) },
    two: { 'write fault at guest page 10': ({ vm, faults }) => stepFault(vm, faults[1]) },
  },
  seen: ({ store, file, vm }) =>
    vm.stage2.get(10) !== store.frameOf(file.id, 0) || store.references.size > 0,
});
