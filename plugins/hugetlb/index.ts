import { MAX_PAGES, MemfileError, type BackingStore, type PluginHost } from '../../core/index.js';
import { brand } from '../../core/copy.js';
import { HugePagePool, type PoolCounters } from './huge-page-pool.js';
import { HugetlbFile, type HugetlbFileOptions } from './hugetlb-file.js';

export type { PoolCounters } from './huge-page-pool.js';
export type { HugetlbFileOptions } from './hugetlb-file.js';

/** A lookup covers `2^order` pages of 4 KiB. */
const ORDERS = { '2M': 9, '1G': 18 } as const;

export interface HugetlbOptions {
  /** '2M' by default. */
  readonly pageSize?: keyof typeof ORDERS | undefined;
  /** How many huge pages there are at first, for all files together; 0 by default, as at boot. */
  readonly pool?: number | undefined;
}

/** Huge pages as a backing store, and the pool that they come from. */
export interface HugetlbStore extends BackingStore<'hugetlb', HugetlbFileOptions> {
  /**
   * What the pool has now; the journal's last `plugin` event 'pool' says the same, as long as the
   * memfile lives.
   */
  poolCounters(): PoolCounters;
  /**
   * Sets how many huge pages the pool is to have, as writing `nr_hugepages`. Growing comes at once.
   * In shrinking, only pages that are free and not reserved go at once; the others are surplus, and
   * go when they leave their file or lose their reservation.
   * @throws MemfileError EINVAL unless it is a count of huge pages; EBADF when its memfile was taken
   * down.
   */
  resizePool(hugePages: number): void;
}

/**
 * Huge pages of one size from a pool that is filled beforehand, as fs/hugetlbfs/inode.c and
 * mm/hugetlb.c: a file with `reserve` gets its pages promised when it is created, or is not created
 * (ENOMEM); any other takes what is left (ENOSPC).
 *
 * Sizes are multiples of a huge page (EINVAL). `fallocate` rounds out and keeps what it added when
 * the pool runs short (`effect` 'partial'). `punchHole` rounds in: it zeroes parts of huge pages,
 * which stay, and never refuses them. Every change of the pool's counters is a `plugin` event 'pool'.
 */
export function hugetlb(options: HugetlbOptions = {}): HugetlbStore {
  const { pageSize = '2M', pool: hugePages = 0 } = options ?? {};
  if (!Object.hasOwn(ORDERS, pageSize)) {
    const known = Object.keys(ORDERS).join(' or ');
    throw new MemfileError(
      'EINVAL',
      'hugetlb',
      `pageSize must be ${known}, got ${String(pageSize)}`,
    );
  }
  const order = ORDERS[pageSize];
  checkPool('hugetlb', hugePages, order);
  const pool = new HugePagePool(hugePages, 2 ** order);
  let journal: PluginHost | undefined;
  let said = '';
  let closed = false;
  const changed = (): void => {
    const counters = pool.counters;
    const news = Object.values(counters).join();
    if (news === said) return;
    said = news;
    journal?.record('pool', { ...counters });
  };
  return brand({
    name: 'hugetlb',
    capabilities: { conversions: ['unspecified', 'zero', 'preserve'] },
    attach(host) {
      if (journal !== undefined) {
        const why = 'a hugetlb store is part of one memfile; make another for the other';
        throw new MemfileError('EINVAL', 'createMemfile', why);
      }
      journal = host;
      changed();
    },
    createFile: (spec) => new HugetlbFile(spec, order, pool, changed),
    poolCounters: () => pool.counters,
    resizePool(hugePages) {
      checkPool('resizePool', hugePages, order);
      if (closed) throw new MemfileError('EBADF', 'resizePool', 'the memfile was taken down');
      pool.resize(hugePages);
      changed();
    },
    close: () => void (closed = true),
  });
}

function checkPool(syscall: string, hugePages: number, order: number): void {
  if (Number.isSafeInteger(hugePages) && hugePages >= 0 && hugePages < MAX_PAGES / 2 ** order) {
    return;
  }
  const what = `pool must be a count of huge pages, got ${String(hugePages)}`;
  throw new MemfileError('EINVAL', syscall, what);
}
