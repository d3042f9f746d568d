import { KvmVm, MEMORY_ATTRIBUTE_PRIVATE, newFault } from '../../adapters/kvm/index.js';
import { PAGE_SIZE } from '../../core/index.js';
import { ledgerFile, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a page of a file that was converted to private is mapped shared',
  setUp: async (stage) => {
    const { file } = ledgerFile(stage, 2);
    await file.fallocate(0, 2);
    await stage.listen(file, 'slow', { slow: ['invalidate'] });
    const vm = new KvmVm({ scheduler: stage, witness: stage.model });
    await vm.setMemslot({ slot: 0, gfn: 10, pages: 2, guestMemfd: { file, offset: 0 } });
    return { vm, fault: newFault(10) };
  },
  threads: {
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
    vmm: {
      'make it private': ({ vm }) => {
        const page = { address: 10 * PAGE_SIZE, size: PAGE_SIZE };
        return vm.setMemoryAttributes({ ...page, attributes: MEMORY_ATTRIBUTE_PRIVATE });
      },
    },
  },
  seen: ({ vm }) =>
    vm.attributes.isPrivate(10) && vm.stage2.get(10) >= 0 && !vm.stage2.isPrivate(10),
});
