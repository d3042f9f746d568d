import { SrcuDomain } from '../../../core/index.js';
import { exhibit } from '../exhibit.js';

type Swap = (domain: SrcuDomain, free: () => void) => unknown;

interface Table {
  freed: boolean;
}

export default exhibit<Swap, Record<'read' | 'use' | 'swap', () => unknown>>({
  law: 6,
  says: 'a worker uses a translation table that was swapped and freed',
  source: 'spdk/spdk issue 3132: segmentation fault',
  history: [
    'A table of translations was replaced, and the old one freed, while a worker walked it.',
    'SPDK asks the caller to make sure that nothing is in flight, and has nothing to wait with.',
    'Here whoever reads is counted in a domain, and the old table is freed after a grace period.',
  ],
  faulty: (_domain, free) => free(),
  ours: (domain, free) => domain.synchronize().then(free),
  setUp: (stage, swap) => {
    const domain = new SrcuDomain('tables');
    let table: Table = { freed: false };
    let reading: { readonly index: 0 | 1; readonly table: Table };
    return {
      read: () => {
        reading = { index: domain.readLock(), table };
      },
      use: () => {
        if (reading.table.freed) stage.breaks(6, 'the worker uses a table that was freed');
        domain.readUnlock(reading.index);
      },
      swap: () => {
        const old = table;
        table = { freed: false };
        return swap(domain, () => (old.freed = true));
      },
    };
  },
  threads: {
    worker: { 'take the table': ({ read }) => read(), 'use it': ({ use }) => use() },
    owner: { 'swap it, free the old one': ({ swap }) => swap() },
  },
});
