import { guestOver, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a fault that looked a page up before its punch maps it after the end',
  setUp: (stage) => guestOver(stage, { slow: true }),
  threads: {
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
  },
  seen: ({ vm, store }) => vm.stage2.mappings().some(({ pfn }) => !store.isLive(pfn)),
});
