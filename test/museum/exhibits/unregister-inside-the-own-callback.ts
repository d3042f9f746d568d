import { SrcuDomain } from '../../../core/index.js';
import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

type File = (stage: Stage) => Promise<() => Promise<unknown>>;

export default exhibit<File, () => Promise<unknown>>({
  law: 6,
  says: 'a notification waits for itself',
  source: 'PATCH v4 03/12: synchronize_srcu in memfile_unregister_notifier',
  history: [
    'unregister waits for every reader section, and a callback runs in one.',
    'A callback that unregisters itself waits for its own end: it never returns.',
    'Here a callback that waits for that is told EDEADLK at once, and the punch goes on.',
  ],
  faulty: async (stage) => {
    const domain = new SrcuDomain('memfile_notifier');
    return async () => {
      const index = domain.readLock();
      stage.note('invalidate: the callback unregisters itself');
      await domain.synchronize();
      domain.readUnlock(index);
    };
  },
  ours: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const registration = await file.register({
      invalidate: (_start, _end, { waitUntil }) => waitUntil(registration.unregister()),
    });
    return () => file.punchHole(0, 1);
  },
  setUp: (stage, file) => file(stage),
  threads: { owner: { 'punch [0, 1)': (punch) => punch() } },
});
