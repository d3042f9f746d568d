import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';
import { MemfileNotifier, ShmemInode, V4Kernel } from '../v4.js';

type Callback = (position: number) => void;
type File = (stage: Stage, told: Callback) => Promise<Record<'register' | 'punch', () => unknown>>;

export default exhibit<File, Record<'register' | 'punch', () => unknown>>({
  law: 1,
  says: 'one event is told over and over',
  source: 'PATCH v4 03/12: list_add_rcu without a look whether it is in the list',
  history: [
    'A notifier that was registered a second time was put into the list a second time.',
    'Its link then points at itself, and who walks the list never arrives at the end.',
    'Here every register() makes a registration of its own, told once of every event.',
  ],
  faulty: async (_stage, told) => {
    const kernel = new V4Kernel({ shmem: true });
    const inode = new ShmemInode(kernel);
    await inode.fallocate(0, 1);
    const notifier = new MemfileNotifier({
      invalidate: () => {
        told(1);
        return new Promise(() => {}); // Or it would go on for ever.
      },
    });
    // The walk: as V4Kernel.notify, with a stop.
    const walk = (): void => {
      let link = inode.notifiers.next;
      for (let i = 0; i < 3 && link !== inode.notifiers; i++, link = link.next) {
        void (link as MemfileNotifier).ops?.invalidate?.(notifier, 0, 1);
      }
    };
    return {
      register: () => void kernel.registerNotifier(inode, notifier, {}),
      punch: walk,
    };
  },
  ours: async (stage, told) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const notifier = {
      invalidate: (_start: number, _end: number, event: { readonly position: number }) =>
        told(event.position),
    };
    return { register: () => file.register(notifier), punch: () => file.punchHole(0, 1) };
  },
  setUp: (stage, file) => {
    const told = new Map<number, number>();
    return file(stage, (position) => {
      const count = (told.get(position) ?? 0) + 1;
      told.set(position, count);
      if (count > 2) stage.breaks(1, 'two registrations are told of one event three times');
    });
  },
  threads: {
    consumer: { register: ({ register }) => register(), 'and again': ({ register }) => register() },
    owner: { 'punch [0, 1)': ({ punch }) => punch() },
  },
});
