import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';
import { ShmemInode, V4Kernel } from '../v4.js';

interface File {
  lookup(): unknown;
  put(): void;
  punch(): Promise<unknown>;
}

type Make = (stage: Stage) => Promise<File>;

export default exhibit<Make, { readonly file: File; pinned: boolean; punching: boolean }>({
  law: 9,
  says: 'a punch waits for as long as somebody holds a page that was looked up',
  source: 'PATCH v4 03/12, get_lock_pfn; questioned by Sean Christopherson in the review of v6',
  history: [
    'A lookup handed the page out locked, and a punch waited for that lock.',
    'Whoever kept a page held every punch of it up, and nothing said who.',
    'Here a lease locks nothing: the page leaves, and its frame is free at the last put.',
  ],
  faulty: async () => {
    const kernel = new V4Kernel({ shmem: true });
    const inode = new ShmemInode(kernel);
    await inode.fallocate(0, 1);
    const folio = inode.folioAt(0)!;
    return {
      lookup: () => inode.getLockPfn(0, { value: 0 }),
      put: () => folio.unlock(),
      punch: () => inode.punchHole(0, 1),
    };
  },
  ours: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const reader = await stage.listen(file, 'reader');
    return {
      lookup: () => void reader.lookup(0),
      put: () => reader.put(),
      punch: () => file.punchHole(0, 1),
    };
  },
  setUp: async (stage, make) => {
    const world = { file: await make(stage), pinned: false, punching: false };
    stage.checks.push(() => {
      if (world.pinned && world.punching) stage.breaks(9, 'a punch waits for a page to be put');
    });
    return world;
  },
  threads: {
    reader: {
      'look page 0 up': async (world) => {
        await world.file.lookup();
        world.pinned = true;
      },
      'put it': (world) => {
        world.file.put();
        world.pinned = false;
      },
    },
    owner: {
      'punch [0, 1)': async (world) => {
        world.punching = true;
        await world.file.punch();
        world.punching = false;
      },
    },
  },
});
