import { KvmVm, newFault } from '../../adapters/kvm/index.js';
import { judgeMappings, ledgerFile, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 12,
  says: 'a page of a file that is closed is mapped',
  setUp: async (stage) => {
    const { store, file } = ledgerFile(stage, 2);
    await file.fallocate(0, 2);
    const vm = new KvmVm({ scheduler: stage });
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
    owner: { 'close the file': ({ file }) => file.close() },
  },
  seen: ({ vm, fault }) => vm.stage2.mappings().length > 0 || fault.exit === undefined,
});
