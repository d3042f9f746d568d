import { guestOver, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a page past the end of a truncated file is mapped',
  setUp: (stage) => guestOver(stage, { slow: true, gfn: 11 }),
  threads: {
    guest: { 'fault at guest page 11': ({ vm, fault }) => stepFault(vm, fault) },
    owner: { 'truncate to 1': ({ file }) => file.truncate(1) },
  },
  seen: ({ vm }) => vm.stage2.mappings().length > 0,
});
