import { litmus } from '../explore/index.js';
import { tortured } from '../explore/srcu-torture.js';

export default litmus({
  law: 6,
  says: 'a grace period ends while a reader is in that came after it had begun',
  setUp: () => Object.assign(tortured(), { overtaken: false }),
  threads: {
    reader: { 'enter and take the object': (t) => t.enter(0), leave: (t) => t.leave(0) },
    later: { 'enter and take the object': (t) => t.enter(1), leave: (t) => t.leave(1) },
    updater: {
      'replace it, synchronize': async (t) => {
        await t.replace();
        t.overtaken = t.domain.readers > 0;
      },
    },
  },
  seen: ({ overtaken }) => overtaken,
});
