import { MAX_PAGES, MemfileError, type BackingStore, type OwnEvents } from '../../core/index.js';
import { brand } from '../../core/copy.js';
import {
  HUGETLB_EVENTS,
  type HugePageSize,
  type HugetlbEvent,
  type HugetlbState,
} from './events.js';
import { HugePagePool, type PoolCounters } from './huge-page-pool.js';
import { HugetlbFile, withhold, type HugetlbFileOptions } from './hugetlb-file.js';

export { HUGETLB_EVENTS, type HugetlbEvent, type HugetlbState } from './events.js';
export type { PoolCounters } from './huge-page-pool.js';
export type { HugetlbFileOptions } from './hugetlb-file.js';

/** A lookup covers `2^order` pages of 4 KiB. */
const ORDERS: Readonly<Record<HugePageSize, number>> = { '2M': 9, '1G': 18 };

export interface HugetlbOptions {
  /** '2M' by default. */
  readonly pageSize?: HugePageSize | undefined;
  /**
   * How many huge pages there are at first, for all files together; 0 by default, as at boot. In a
   * journal that is gone on with, as many as it says.
   */
  readonly pool?: number | undefined;
}

/** Huge pages as a backing store, and the pool that they come from. */
export interface HugetlbStore extends BackingStore<'hugetlb', HugetlbFileOptions> {
  /**
   * What the pool has now; its last event in the journal says the same, as long as the memfile
   * lives.
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
 * which stay, and never refuses them. Every change of the pool's counters and of the reservations of
 * a file is an event of its own: see {@link HUGETLB_EVENTS}.
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
  let events: OwnEvents<HugetlbEvent, HugetlbState> | undefined;
  let said = '';
  let closed = false;
  const changed = (): void => {
    const counters = pool.counters;
    const news = Object.values(counters).join();
    if (news === said) return;
    said = news;
    events?.record({ type: 'pool', pageSize, ...counters });
  };
  /** The size of the pool is that of the journal. What was taken of it is claimed file by file. */
  const restore = ({ pool: before }: HugetlbState): void => {
    if (before === null) {
      changed();
      return;
    }
    const { total, free, reserved, surplus } = before;
    pool.restore(total - surplus);
    said = [total, free, reserved, surplus].join();
  };
  return brand({
    name: 'hugetlb',
    granule: 2 ** order,
    capabilities: { conversions: ['unspecified', 'zero', 'preserve'] },
    withhold(taken) {
      withhold(pool, 2 ** order, taken);
      changed();
    },
    attach(host) {
      if (events !== undefined) {
        const why = 'a hugetlb store is part of one memfile; make another for the other';
        throw new MemfileError('EINVAL', 'createMemfile', why);
      }
      const declared = host.declare(HUGETLB_EVENTS);
      const before = declared.state.pool?.pageSize ?? pageSize;
      if (before !== pageSize) {
        const why = `the journal has huge pages of ${before}, not ${pageSize}`;
        throw new MemfileError('EINVAL', 'createMemfile', why);
      }
      events = declared;
      restore(declared.state);
    },
    createFile(spec) {
      return new HugetlbFile(spec, order, pool, changed, {
        before: events?.state.promised[spec.id] ?? [],
        remember: (places) => events?.record({ type: `promised ${spec.id}`, places }),
      });
    },
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
