import { PAGE_SIZE, type BackingStore } from '../../core/index.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';
import { vfioDevice } from '../../plugins/vfio-device/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { describeBackingStore } from '../kit/index.js';
import { LedgerStore } from '../kvm/ledger-store.js';
import { overriding } from '../kit/overriding.js';
import { blockStore } from './block-store.js';

// Every store of the project keeps the laws; one call each.
describeBackingStore('shmem with a quota', () => shmem({ quota: 24 }));
describeBackingStore('a store of blocks that are looked up as one', () => new LedgerStore(), {
  pages: 12 * 128,
  runs: 20,
});
describeBackingStore('a store of pages that come and go in blocks', () => blockStore(), {
  pages: 12 * 2,
  runs: 50,
});
describeBackingStore('a store that brings and takes its pages itself', () =>
  overriding(shmem(), {
    capabilities: { movement: 'revocable', fallocate: false, punchHole: false },
  }),
);
describeBackingStore('hugetlb', () => hugetlb({ pool: 16 }), { pages: 12 * 256, runs: 15 });

/** Each file shows a BAR of its own, some of which lie askew to their pages. */
const device = (enabled: boolean): BackingStore => {
  const bars = Array.from({ length: 6 }, (_, region) => ({
    pfn: 0x1000 * (region + 1) + 2 * region,
    pages: 12,
    contents: new Uint8Array(12 * PAGE_SIZE),
  }));
  return vfioDevice({ bars, enabled });
};
const fileOptions = (file: number): object => ({ region: file });
describeBackingStore('vfio-device', () => device(true), { fileOptions });
describeBackingStore('vfio-device, enabled later', () => device(false), { fileOptions });
