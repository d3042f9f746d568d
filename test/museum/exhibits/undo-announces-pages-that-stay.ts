import type { Stage } from '../../explore/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import { exhibit } from '../exhibit.js';
import { MemfileNotifier, ShmemInode, V4Kernel } from '../v4.js';

type Leaving = (start: number) => void;
type File = (stage: Stage, leaving: Leaving) => Promise<() => Promise<unknown>>;

export default exhibit<File, () => Promise<unknown>>({
  law: 8,
  says: 'a failed fallocate says that a page leaves which was there before, and stays',
  source: 'PATCH v4 04/12: shmem_undo_range with unfalloc set',
  history: [
    'What a failed fallocate had added was taken back by the code that punches holes.',
    'That told of every page of the range, also of those that it then left alone.',
    'Here undoing covers the pages that this very call added, and nobody had been told of them.',
  ],
  faulty: async (_stage, leaving) => {
    const kernel = new V4Kernel({ shmem: true });
    const inode = new ShmemInode(kernel, 3);
    inode.write(1);
    const invalidate = (_: MemfileNotifier, start: number): void => leaving(start);
    kernel.registerNotifier(inode, new MemfileNotifier({ invalidate }), {});
    return () => inode.fallocate(0, 8);
  },
  ours: async (stage, leaving) => {
    const file = stage.file('ram', 8, shmem({ quota: 3 }));
    await file.fallocate(1, 2);
    await file.register({ invalidate: leaving });
    return () => file.fallocate(0, 8);
  },
  setUp: (stage, file) =>
    file(stage, (start) => {
      if (start === 1) stage.breaks(8, 'page 1 is announced as leaving, and stays');
    }),
  threads: { owner: { 'fallocate [0, 8), with 3 frames': (fallocate) => fallocate() } },
});
