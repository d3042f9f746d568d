import { guestOver, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a fault of a hole ends with the page mapped, whoever allocates or punches meanwhile',
  setUp: (stage) => guestOver(stage, { populated: false }),
  threads: {
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
    owner: {
      'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1),
      'punch [0, 1)': ({ file }) => file.punchHole(0, 1),
    },
  },
  seen: ({ fault }) => fault.exit?.type === 'mapped',
});
