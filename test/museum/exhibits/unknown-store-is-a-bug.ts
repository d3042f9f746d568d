import { createMemfile } from '../../../core/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import { exhibit } from '../exhibit.js';
import { Inode, MemfileNotifier, V4Kernel } from '../v4.js';

type Unknown = () => unknown;

export default exhibit<Unknown, { readonly unknown: Unknown }>({
  law: 11,
  says: 'a file of an unknown store stops the machine',
  source: 'PATCH v4 03/12: BUG_ON in memfile_unregister_notifier; Sean Christopherson on v5',
  history: [
    'To unregister, the store was looked up again, with BUG_ON for one that is not known.',
    'A wrong argument took the whole machine down.',
    'Here every wrong argument is a MemfileError that says what to do, and changes nothing.',
  ],
  faulty: () =>
    new V4Kernel({ shmem: true }).unregisterNotifier(new Inode('ext4'), new MemfileNotifier(null)),
  ours: () => {
    const files = createMemfile({ plugins: [shmem()] }).files;
    const store: string = 'ext4';
    return files.create(store as 'shmem', { size: 1 });
  },
  setUp: (_stage, unknown) => ({ unknown }),
  threads: { consumer: { 'name an unknown store': ({ unknown }) => unknown() } },
});
