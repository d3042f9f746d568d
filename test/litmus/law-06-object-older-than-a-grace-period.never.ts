import { litmus } from '../explore/index.js';
import { tortured } from '../explore/srcu-torture.js';

export default litmus({
  law: 6,
  says: 'at the end of a reader section its object is older than one grace period',
  setUp: () => tortured(),
  threads: {
    reader: { 'enter and take the object': (t) => t.enter(0), leave: (t) => t.leave(0) },
    another: { 'enter and take the object': (t) => t.enter(1), leave: (t) => t.leave(1) },
    updater: { 'replace it, synchronize': (t) => t.replace(), 'and again': (t) => t.replace() },
  },
  seen: ({ tooOld }) => tooOld > 0,
});
