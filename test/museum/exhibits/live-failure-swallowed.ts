import type { MemoryFile, Notifier } from '../../../core/index.js';
import { exhibit } from '../exhibit.js';

type Tell = (map: () => void) => Notifier;

export default exhibit<Tell, { readonly file: MemoryFile; readonly add: () => unknown }>({
  law: 8,
  says: 'memory counts as added, and a consumer that failed to map it has not got it',
  source: 'SPDK lib/env_dpdk/memory.c: spdk_mem_register',
  history: [
    'A notify callback that fails while memory is registered is logged.',
    'The call answers 0: everybody believes the memory to be mapped, and DMA to it faults.',
    'Here a consumer refuses in prepare; nothing is added, and the error names it.',
  ],
  faulty: (map) => ({
    fallocate: () => {
      try {
        map();
      } catch {
        // DEBUG_PRINT, and that is it.
      }
    },
  }),
  ours: (map) => ({ prepare: map }),
  setUp: async (stage, tell) => {
    const file = stage.file('ram', 1);
    let mapped = false;
    await file.register(
      tell(() => {
        throw new Error('cannot map');
      }),
    );
    const add = async (): Promise<void> => {
      await file.fallocate(0, 1);
      if (!mapped) stage.breaks(8, 'fallocate resolves, and a consumer has not mapped the page');
    };
    return { file, add };
  },
  threads: { owner: { 'fallocate [0, 1)': ({ add }) => add() } },
});
