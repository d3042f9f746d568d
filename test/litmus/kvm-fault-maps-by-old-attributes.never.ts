import { KvmVm, MEMORY_ATTRIBUTE_PRIVATE, newFault } from '../../adapters/kvm/index.js';
import { PAGE_SIZE } from '../../core/index.js';
import { ledgerFile, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a page is mapped shared, and is private',
  setUp: async (stage) => {
    const { file, store } = ledgerFile(stage, 2);
    const confidential = stage.file('confidential', 2, store);
    await file.fallocate(0, 2);
    const vm = new KvmVm({ scheduler: stage, witness: stage.model });
    const pieces = [{ gfn: 10, pages: 2, file, offset: 0 }];
    const guestMemfd = { file: confidential, offset: 0 };
    await vm.setMemslot({ slot: 0, gfn: 10, pages: 2, pieces, guestMemfd });
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
