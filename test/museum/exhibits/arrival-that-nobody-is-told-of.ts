import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';
import { MemfileNotifier, ShmemInode, V4Kernel } from '../v4.js';

interface File {
  /** The guest touches a page: it is allocated. */
  touch(page: number): unknown;
  has(page: number): boolean;
}

type Make = (stage: Stage, arrived: (start: number) => void) => Promise<File>;

export default exhibit<Make, { readonly file: File; readonly known: Set<number> }>({
  law: 5,
  says: 'a page is there, and a consumer that was there before it was never told',
  source: 'PATCH v4 04/12: only fallocate(2) notifies',
  history: [
    'Pages that came by write() or a page fault were added without a word.',
    'A consumer that counts what is private missed them.',
    'Here a page arrives in one way only, whatever caused it; the reason says what did.',
  ],
  faulty: async (_stage, arrived) => {
    const kernel = new V4Kernel({ shmem: true });
    const inode = new ShmemInode(kernel);
    const fallocate = (_: MemfileNotifier, start: number): void => arrived(start);
    kernel.registerNotifier(inode, new MemfileNotifier({ fallocate }), {});
    return {
      touch: (page) => inode.write(page),
      has: (page) => inode.folioAt(page) !== undefined,
    };
  },
  ours: async (stage, arrived) => {
    const file = stage.file('ram', 2);
    await file.register({ fallocate: arrived });
    return {
      touch: (page) => file.fallocate(page, page + 1, { reason: 'fault', keepSize: true }),
      has: (page) => file.populated(page, page + 1).length > 0,
    };
  },
  setUp: async (stage, make) => {
    const known = new Set<number>();
    return { known, file: await make(stage, (start) => void known.add(start)) };
  },
  threads: { guest: { 'touch page 1': ({ file }) => file.touch(1) } },
  seen: ({ file, known }) => file.has(1) && !known.has(1),
});
