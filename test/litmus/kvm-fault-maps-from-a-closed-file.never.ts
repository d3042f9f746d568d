import { guestOver, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 12,
  says: 'a page of a file that is closed is mapped',
  setUp: (stage) => guestOver(stage),
  threads: {
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
    owner: { 'close the file': ({ file }) => file.close() },
  },
  seen: ({ vm, fault }) => vm.stage2.mappings().length > 0 || fault.exit === undefined,
});
