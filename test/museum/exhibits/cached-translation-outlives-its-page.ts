import type { MemoryFile } from '../../../core/index.js';
import { exhibit } from '../exhibit.js';

/** Whether the cache is told when a page leaves. */
type Told = boolean;

interface World {
  readonly file: MemoryFile;
  readonly use: () => void;
}

export default exhibit<Told, World>({
  law: 4,
  says: 'a cache answers with the frame that a page had before it was punched and came back',
  source: 'openucx/ucx pull requests 5910 and 7865',
  history: [
    'A registration cache was keyed by address, and created even where nobody could tell it.',
    'An address that was unmapped and used again found the entry of its former life.',
    'Here a consumer without `invalidate` cannot cache and be right; with it, the entry goes.',
  ],
  faulty: false,
  ours: true,
  setUp: async (stage, told) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 1);
    let cached: number | undefined;
    const forget = (): void => {
      cached = undefined;
    };
    const registration = await file.register(told ? { invalidate: forget } : {});
    const use = (): void => {
      if (file.populated(0, 1).length === 0) return;
      const lease = registration.lookup(0);
      if (cached !== undefined && cached !== lease.pfn) {
        stage.breaks(4, `the cache has frame ${cached} for page 0, whose frame is ${lease.pfn}`);
      }
      cached = lease.pfn;
      lease.put();
    };
    return { file, use };
  },
  threads: {
    owner: {
      'punch [0, 1)': ({ file }) => file.punchHole(0, 1),
      'fallocate [1, 2)': ({ file }) => file.fallocate(1, 2),
      'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1),
    },
    reader: { 'use page 0': ({ use }) => use(), 'use it again': ({ use }) => use() },
  },
});
