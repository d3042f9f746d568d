import type { BackingStore, PfnRun, StoreFile } from '../../../core/index.js';
import { overriding } from '../overriding.js';

/** What a hostile store does; each breaks a law. */
export type StoreHostility =
  /** Adds fewer pages than it was asked for, and does not say why. */
  | 'short allocations'
  /** Answers a frame that the page was not given. */
  | 'wrong pfn'
  /** Says that a lookup covers pages that it does not cover. */
  | 'lies about order'
  /** Holds on to pages that left. */
  | 'forgets to free'
  /** Gives a page another frame without having announced that it leaves. */
  | 'never announces';

const HOSTILE: Readonly<Record<StoreHostility, (inner: StoreFile) => Partial<StoreFile>>> = {
  'short allocations': (inner) => ({
    allocate(start, end) {
      const { granule = 1 } = inner;
      return inner.allocate(start, Math.max(end - granule, start + granule));
    },
  }),
  'wrong pfn': (inner) => ({
    getLockPfn(offset) {
      const { pfn, order } = inner.getLockPfn(offset);
      return { pfn: pfn + 1, order };
    },
    putUnlockPfn: (pfn) => inner.putUnlockPfn(pfn - 1),
  }),
  'lies about order': (inner) => ({
    getLockPfn(offset) {
      const { pfn, order } = inner.getLockPfn(offset);
      return { pfn, order: order + 1 };
    },
  }),
  'forgets to free': () => ({ free() {} }),
  'never announces': (inner) => {
    let last: PfnRun | undefined;
    return {
      allocate(start, end) {
        const moved = last;
        if (moved !== undefined) inner.free(moved.start, moved.end);
        const allocation = inner.allocate(start, end);
        if (moved !== undefined) inner.allocate(moved.start, moved.end);
        last = allocation.runs[0];
        return allocation;
      },
    };
  },
};

/** `store`, but its files do something that no store may. */
export function hostileStore<S extends BackingStore>(store: S, hostility: StoreHostility): S {
  return overriding<BackingStore>(store, {
    createFile(spec) {
      const inner = store.createFile(spec);
      return overriding(inner, HOSTILE[hostility](inner));
    },
  }) as S;
}
