import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';
import { MemfileNotifier, ShmemInode, V4Kernel } from '../v4.js';

type Arrived = (start: number, end: number) => void;
type File = (stage: Stage, arrived: Arrived) => Promise<(start: number, end: number) => unknown>;

export default exhibit<File, { readonly fallocate: (start: number, end: number) => unknown }>({
  law: 7,
  says: 'a page that was there is told of as if it arrived',
  source: 'PATCH v4 04/12: notify_fallocate after the whole range',
  history: [
    'fallocate told of its whole range when it was done, whatever of it had been there before.',
    'A consumer that zaps on arrival drops translations that were right.',
    'Here an arrival names the pages that this call added, and no others.',
  ],
  faulty: async (_stage, arrived) => {
    const kernel = new V4Kernel({ shmem: true });
    const inode = new ShmemInode(kernel);
    const fallocate = (_: MemfileNotifier, start: number, end: number): void => arrived(start, end);
    kernel.registerNotifier(inode, new MemfileNotifier({ fallocate }), {});
    return (start, end) => inode.fallocate(start, end);
  },
  ours: async (stage, arrived) => {
    const file = stage.file('ram', 4);
    await file.register({ fallocate: arrived });
    return (start, end) => file.fallocate(start, end);
  },
  setUp: async (stage, file) => {
    const there = new Set<number>();
    const fallocate = await file(stage, (start, end) => {
      for (let page = start; page < end; page++) {
        if (there.has(page)) stage.breaks(7, `page ${page} arrives, and was there`);
        there.add(page);
      }
    });
    return { fallocate };
  },
  threads: {
    one: { 'fallocate [0, 2)': ({ fallocate }) => fallocate(0, 2) },
    two: { 'fallocate [1, 3)': ({ fallocate }) => fallocate(1, 3) },
  },
});
