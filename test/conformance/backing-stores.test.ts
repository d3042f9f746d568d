import { hugetlb } from '../../plugins/hugetlb/index.js';
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
