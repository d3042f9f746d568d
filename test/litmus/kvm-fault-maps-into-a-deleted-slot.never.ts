import { guestOver, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a guest page is mapped after its slot has been deleted',
  setUp: (stage) => guestOver(stage),
  threads: {
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
    vmm: { 'delete the slot': ({ vm }) => vm.setMemslot({ slot: 0, gfn: 0, pages: 0 }) },
  },
  seen: ({ vm, fault }) =>
    vm.stage2.mappings().length > 0 || vm.srcu.readers > 0 || fault.next !== 'done',
});
