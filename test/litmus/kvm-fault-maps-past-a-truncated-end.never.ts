import { KvmVm, newFault } from '../../adapters/kvm/index.js';
import { judgeMappings, ledgerFile, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a page past the end of a truncated file is mapped',
  setUp: async (stage) => {
    const { store, file } = ledgerFile(stage, 2);
    await file.fallocate(0, 2);
    await stage.listen(file, 'slow', { slow: ['invalidate'] });
    const vm = new KvmVm({ scheduler: stage, witness: stage.model });
    await vm.setMemslot({
      slot: 0,
      gfn: 10,
      pages: 2,
      pieces: [{ gfn: 10, pages: 2, file, offset: 0 }],
    });
    judgeMappings(stage, store, () => vm.stage2.mappings());
    return { file, vm, fault: newFault(11) };
  },
  threads: {
    guest: { 'fault at guest page 11': ({ vm, fault }) => stepFault(vm, fault) },
    owner: { 'truncate to 1': ({ file }) => file.truncate(1) },
  },
  seen: ({ vm }) => vm.stage2.mappings().length > 0,
});
