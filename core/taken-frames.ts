import type { TakenFrames } from './backing-store.js';
import type { MemfileState } from './state.js';

/** Whose frames they are: the file need not be open any more. */
interface Owner {
  readonly id: number;
  readonly store: string;
}

/** The leased and quarantined frames of those files that `wanted` picks. */
export function takenFrames(state: MemfileState, wanted: (file: Owner) => boolean): TakenFrames {
  const counts = new Map<number, { readonly order: number; readonly count: number }>();
  for (const { file: id, store, leases } of state.registrations.values()) {
    if (!wanted({ id, store })) continue;
    for (const { pfn, order, count } of leases) {
      const other = counts.get(pfn) ?? { order, count: 0 };
      counts.set(pfn, { order: Math.max(order, other.order), count: count + other.count });
    }
  }
  return {
    leased: [...counts].map(([pfn, lease]) => ({ pfn, ...lease })),
    quarantined: state.quarantined
      .filter(({ file: id, store }) => wanted({ id, store }))
      .map(({ start, end, pfn }) => ({ start, end, pfn })),
  };
}
