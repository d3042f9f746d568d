import type { MemoryFile, Notifier } from '../../../core/index.js';
import { exhibit } from '../exhibit.js';

type Register = (file: MemoryFile, notifier: Notifier) => Promise<unknown>;

export default exhibit<Register, { readonly file: MemoryFile; readonly register: () => unknown }>({
  law: 8,
  says: 'a listener whose replay failed is told of new memory, and lacks the old',
  source: 'QEMU system/ram-discard-manager.c: replay at registration',
  history: [
    'A new listener is told of the memory that is there; when that fails, an error is printed.',
    'It stays registered, knows of half of the memory, and is told of what comes later.',
    'Here what it agreed to is rolled back, register rejects, and it is in no list.',
  ],
  faulty: async (file, notifier) => {
    const registration = await file.register({ fallocate: notifier.fallocate });
    for (const { start, end } of registration.snapshot) {
      try {
        notifier.prepare?.(start, end, undefined!);
      } catch {
        return; // error_report() in QEMU.
      }
    }
  },
  ours: (file, notifier) => file.register(notifier, { replay: true }),
  setUp: async (stage, register) => {
    const file = stage.file('ram', 4);
    await file.fallocate(0, 1);
    let refused = false;
    const notifier: Notifier = {
      prepare: () => {
        refused = true;
        throw new Error('out of DMA mappings');
      },
      fallocate: () => {
        if (refused) stage.breaks(8, 'a listener that refused the old memory is told of new');
      },
    };
    return { file, register: () => register(file, notifier) };
  },
  threads: {
    listener: { register: ({ register }) => register() },
    owner: { 'fallocate [2, 3)': ({ file }) => file.fallocate(2, 3) },
  },
});
