import { KvmVm, MEMORY_ATTRIBUTE_PRIVATE, newFault } from '../../../adapters/kvm/index.js';
import { PAGE_SIZE } from '../../../core/index.js';
import { ledgerFile, stepFault } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

export default exhibit<typeof stepFault, { readonly vm: KvmVm; readonly fault: () => unknown }>({
  law: 4,
  says: 'a page is mapped shared, and is private',
  source: 'the series that became guest_memfd, before the sequence was read first (6.8)',
  history: [
    'A fault read whether its page is private, and took its snapshot of the sequence after that.',
    'A change of attributes in between was over before the snapshot, so nothing looked stale.',
    'Here the snapshot is the first step of a fault, before anything is read.',
  ],
  faulty: (vm, fault) => {
    const late = fault.next === 'slot';
    if (late) fault.snapshot = vm.invalidations.snapshot();
    return stepFault(vm, fault);
  },
  ours: stepFault,
  setUp: async (stage, step) => {
    const { file, store } = ledgerFile(stage, 1);
    const confidential = stage.file('confidential', 1, store);
    await file.fallocate(0, 1);
    const vm = new KvmVm({ scheduler: stage });
    const pieces = [{ gfn: 10, pages: 1, file, offset: 0 }];
    const guestMemfd = { file: confidential, offset: 0 };
    await vm.setMemslot({ slot: 0, gfn: 10, pages: 1, pieces, guestMemfd });
    const fault = newFault(10);
    return { vm, fault: () => step(vm, fault) };
  },
  threads: {
    guest: { 'fault at guest page 10': ({ fault }) => fault() },
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
