import type { MemoryFile } from '../../../core/index.js';
import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

type Populate = (stage: Stage, file: MemoryFile, refuse: () => Promise<void>) => Promise<unknown>;

interface World {
  readonly file: MemoryFile;
  readonly populate: () => unknown;
  found: boolean;
}

export default exhibit<Populate, World>({
  law: 8,
  says: 'a page counts as there that a consumer refuses',
  source: 'QEMU RamBlockAttributes at 0a6830e',
  history: [
    'The bitmap of what is shared was set first, and the listeners told afterwards.',
    'Who looks in between finds memory that a listener is about to refuse.',
    'Here prepared pages are in no lookup and no snapshot until everybody has agreed.',
  ],
  faulty: async (stage, file, refuse) => {
    await file.fallocate(0, 1);
    await stage.gate('the listeners are told');
    await refuse().catch(() => file.punchHole(0, 1));
  },
  ours: async (_stage, file, refuse) => {
    await file.register({ prepare: refuse });
    await file.fallocate(0, 1).catch(() => {});
  },
  setUp: (stage, populate) => {
    const file = stage.file('ram', 1);
    const refuse = (): Promise<void> =>
      stage.gate('a listener decides').then(() => Promise.reject(new Error('no')));
    return { file, populate: () => populate(stage, file, refuse), found: false };
  },
  threads: {
    owner: { populate: ({ populate }) => populate() },
    reader: {
      'read what is there': (world) => {
        world.found = world.file.populated().length > 0;
      },
    },
  },
  seen: ({ found }) => found,
});
