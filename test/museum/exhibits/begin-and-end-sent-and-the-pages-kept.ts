import type { BackingStore, MemoryFile, PfnRun, StoreFile } from '../../../core/index.js';
import type { Listener } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

/** One frame a page, with one byte of contents; `drops` says whether free() does what it says. */
function store(drops: boolean): BackingStore {
  const createFile = (): StoreFile => {
    const frames = new Map<number, number>();
    const bytes = new Map<number, Uint8Array>();
    let next = 1;
    return {
      allocate: (start, end) => {
        const runs: PfnRun[] = [];
        for (let page = start; page < end; page++) {
          const pfn = frames.get(page) ?? next++;
          if (!bytes.has(pfn)) bytes.set(pfn, new Uint8Array(1));
          frames.set(page, pfn);
          runs.push({ start: page, end: page + 1, pfn });
        }
        return { runs };
      },
      free: (start, end) => {
        for (let page = start; page < (drops ? end : start); page++) frames.delete(page);
      },
      getLockPfn: (page) => ({ pfn: frames.get(page)!, order: 0 }),
      putUnlockPfn: () => {},
      bytes: (pfn) => bytes.get(pfn)!,
    };
  };
  return { name: 'gmem', createFile };
}

interface World {
  readonly file: MemoryFile;
  readonly reader: Listener;
  punched: boolean;
  stale: boolean;
}

export default exhibit<() => BackingStore, World>({
  law: 4,
  says: 'a page that was punched comes back with its old contents',
  source: 'guest_memfd: a rebase lost truncate_inode_pages_range in the punch',
  history: [
    'A rebase dropped the one line that frees: begin and end were sent, and the pages stayed.',
    'Every listener was told that they had gone; whoever faulted again found the old contents.',
    'Here a page after its end is another one, and a store that keeps pages has to say so.',
  ],
  faulty: () => store(false),
  ours: () => store(true),
  setUp: async (stage, make) => {
    const file = stage.file('ram', 1, make());
    await file.fallocate(0, 1);
    const reader = await stage.listen(file, 'reader');
    reader.lookup(0)!.bytes()[0] = 7;
    reader.put();
    return { file, reader, punched: false, stale: false };
  },
  threads: {
    owner: {
      'punch [0, 1)': async (world) => {
        await world.file.punchHole(0, 1);
        world.punched = true;
      },
      'fallocate [0, 1), read it': async (world) => {
        await world.file.fallocate(0, 1);
        world.stale = world.punched && world.reader.lookup(0)!.bytes()[0] === 7;
        world.reader.put();
      },
    },
  },
  seen: ({ stale }) => stale,
});
