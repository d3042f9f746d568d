import { KvmVm, newFault } from '../../adapters/kvm/index.js';
import { judgeMappings, ledgerFile, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a fault of a hole ends with the page mapped, whoever allocates or punches meanwhile',
  setUp: async (stage) => {
    const { store, file } = ledgerFile(stage, 2);
    const vm = new KvmVm({ scheduler: stage, witness: stage.model });
    await vm.setMemslot({
      slot: 0,
      gfn: 10,
      pages: 2,
      pieces: [{ gfn: 10, pages: 2, file, offset: 0 }],
    });
    judgeMappings(stage, store, () => vm.stage2.mappings());
    return { file, vm, fault: newFault(10) };
  },
  threads: {
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
    owner: {
      'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1),
      'punch [0, 1)': ({ file }) => file.punchHole(0, 1),
    },
  },
  seen: ({ fault }) => fault.exit?.type === 'mapped',
});
