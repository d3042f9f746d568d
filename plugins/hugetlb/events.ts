import {
  defineEvents,
  EventHistory,
  type EventDefinition,
  type PageRange,
} from '../../core/index.js';
import type { PoolCounters } from './huge-page-pool.js';

/** The sizes that huge pages have here. */
export type HugePageSize = '2M' | '1G';

/** The counters of the pool, whenever they have changed. */
export interface PoolEvent extends PoolCounters {
  readonly type: 'pool';
  readonly pageSize: HugePageSize;
}

export type HugetlbEvent =
  | PoolEvent
  /** The places of the file with that number that have reservations, whenever they have changed. */
  | { readonly type: `promised ${number}`; readonly places: readonly PageRange[] };

export interface HugetlbState {
  /** Null before the first word of it. */
  readonly pool: (PoolCounters & { readonly pageSize: HugePageSize }) | null;
  /** By file, the places that have reservations. */
  readonly promised: Readonly<Record<number, readonly PageRange[]>>;
}

/** What a store of huge pages records of its own. */
export const HUGETLB_EVENTS: EventDefinition<HugetlbEvent, HugetlbState> = defineEvents({
  name: 'hugetlb',
  history: EventHistory.first<HugetlbEvent>(),
  initial: { pool: null, promised: {} },
  evolve(state: HugetlbState, event): HugetlbState {
    if (event.type === 'pool') {
      const { pageSize, total, free, reserved, surplus } = event;
      return { promised: state.promised, pool: { pageSize, total, free, reserved, surplus } };
    }
    if (!event.type.startsWith('promised ')) return state;
    const file = Number(event.type.slice('promised '.length));
    const { [file]: _, ...others } = state.promised;
    const promised = event.places.length === 0 ? others : { ...others, [file]: event.places };
    return { ...state, promised };
  },
});
