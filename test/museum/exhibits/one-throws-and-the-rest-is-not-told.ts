import { EventEmitter } from 'node:events';
import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

type Channel = (stage: Stage, fails: () => void, told: () => void) => Promise<() => unknown>;

export default exhibit<Channel, { readonly punch: () => unknown; told: boolean; sent: boolean }>({
  law: 2,
  says: 'one listener throws, and the next one is not told',
  source: 'ReactiveX/rxjs issues 2145 and 3072; node EventEmitter as measured with Node 20',
  history: [
    'Listeners are called in a loop, and what one of them throws ends it.',
    'Those behind it never learn that their pages have left.',
    'Here each is called on its own: a failure is that consumer’s, and the operation names it.',
  ],
  faulty: async (_stage, fails, told) => {
    const events = new EventEmitter();
    events.on('invalidate', fails);
    events.on('invalidate', told);
    return () => {
      try {
        events.emit('invalidate');
      } catch {
        // The sender is told, the listener is not.
      }
    };
  },
  ours: async (stage, fails, told) => {
    const file = stage.file('ram', 1);
    await file.register({ invalidate: told });
    await file.register({ invalidate: fails });
    return () => file.punchHole(0, 1);
  },
  setUp: async (stage, channel) => {
    const world = { told: false, sent: false };
    const fails = (): never => {
      throw new Error('fails');
    };
    const punch = await channel(stage, fails, () => void (world.told = true));
    return Object.assign(world, { punch });
  },
  threads: {
    owner: {
      punch: async (world) => {
        world.sent = true;
        await world.punch();
      },
    },
  },
  seen: ({ told, sent }) => sent && !told,
});
