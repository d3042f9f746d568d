import { KvmVm, MEMORY_ATTRIBUTE_PRIVATE, newFault } from '../../adapters/kvm/index.js';
import { PAGE_SIZE } from '../../core/index.js';
import { ledgerFile, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a page is mapped shared after it has been made private',
  setUp: async (stage) => {
    const { file } = ledgerFile(stage, 2);
    await file.fallocate(0, 2);
    const vm = new KvmVm({ scheduler: stage, witness: stage.model });
    await vm.setMemslot({ slot: 0, gfn: 10, pages: 2, guestMemfd: { file, offset: 0 } });
    return { vm, file, fault: newFault(10) };
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
  // Where the fault holds the page just then, it is not made private at all: EAGAIN.
  seen: ({ vm, file }) => file.isPrivate(0) && vm.stage2.mappings().some((at) => !at.private),
});
