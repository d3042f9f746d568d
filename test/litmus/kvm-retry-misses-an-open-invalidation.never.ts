import { Invalidations } from '../../adapters/kvm/index.js';
import { litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a fault may map its page while an invalidation of it is open, or was since its snapshot',
  setUp: () => ({
    invalidations: new Invalidations(),
    snapshot: 0,
    open: false,
    ended: 0,
    endedBefore: 0,
    missed: false,
  }),
  threads: {
    one: {
      'begin [10, 11)': (world) => {
        world.invalidations.begin(10, 11);
        world.open = true;
      },
      'end it': (world) => {
        world.invalidations.end();
        world.open = false;
        world.ended++;
      },
    },
    two: {
      'begin [11, 12)': ({ invalidations }) => invalidations.begin(11, 12),
      'end it': ({ invalidations }) => invalidations.end(),
    },
    guest: {
      'take the snapshot for page 10': (world) => {
        world.snapshot = world.invalidations.snapshot();
        world.endedBefore = world.ended;
      },
      'ask whether to retry': (world) => {
        const { invalidations, snapshot, open, ended, endedBefore } = world;
        const must = open || ended > endedBefore;
        world.missed = must && !invalidations.retry(snapshot, 10, 11);
      },
    },
  },
  seen: ({ missed }) => missed,
});
