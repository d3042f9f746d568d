import { MemfileError, type Lease, type PageRange, type PfnRun } from '../../core/index.js';

/** Looked up, and not mapped yet. */
export interface Found {
  readonly runs: readonly PfnRun[];
  /** Whoever maps them keeps these or puts them. */
  readonly leases: readonly Lease[];
}

/** Where a lookup finds that there is nothing to map, and why that is nobody's fault. */
const NOT_THERE: ReadonlySet<string> = new Set(['ENOENT', 'EFAULT', 'EHWPOISON', 'EBADF']);

/**
 * The frames that pages have now. One lookup serves a larger frame as a whole, unless there has to
 * be a lease of `each` page.
 * @throws MemfileError as `lookup`, with nothing held, unless the page is just not there.
 */
export function findFrames(
  ranges: readonly PageRange[],
  each: boolean,
  lookup: (page: number) => Lease,
  put: (lease: Lease) => void,
): Found {
  const runs: PfnRun[] = [];
  const leases: Lease[] = [];
  try {
    for (const { start, end } of ranges) {
      for (let page = start; page < end;) {
        const lease = unlessGone(() => lookup(page));
        const size = each || lease === undefined ? 1 : 2 ** lease.order;
        const stop = Math.min(end, (Math.floor(page / size) + 1) * size);
        if (lease !== undefined) {
          leases.push(lease);
          runs.push({ start: page, end: stop, pfn: lease.pfn });
        }
        page = stop;
      }
    }
  } catch (error) {
    leases.forEach(put);
    throw error;
  }
  return { runs, leases };
}

function unlessGone(lookup: () => Lease): Lease | undefined {
  try {
    return lookup();
  } catch (error) {
    if (error instanceof MemfileError && NOT_THERE.has(error.code)) return undefined;
    throw error;
  }
}
