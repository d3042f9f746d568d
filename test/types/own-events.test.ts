import { describe, expectTypeOf, it } from 'vitest';
import { defineEvents, EventHistory, type Memfile, type PluginHost } from '../../core/index.js';
import { KVM_EVENTS, type KvmEvent, type KvmState } from '../../adapters/kvm/index.js';
import { HUGETLB_EVENTS } from '../../plugins/hugetlb/index.js';

type Lamp =
  | { readonly type: 'turned'; readonly on: boolean }
  | { readonly type: 'dimmed'; readonly to: number };

const LAMP = defineEvents({
  name: 'lamp',
  history: EventHistory.first<Lamp>(),
  initial: { on: false, at: 1 },
  evolve(state, event) {
    expectTypeOf(event).toEqualTypeOf<Lamp>();
    return event.type === 'turned' ? { ...state, on: event.on } : { ...state, at: event.to };
  },
});

declare const memfile: Memfile;

describe("types of events of one's own", () => {
  it('events and state are those of the definition', () => {
    const check = (): void => {
      const lamp = memfile.declare(LAMP);
      expectTypeOf(lamp.record).parameter(0).toEqualTypeOf<Lamp>();
      expectTypeOf(lamp.state).toEqualTypeOf<{ on: boolean; at: number }>();
      expectTypeOf(lamp.at).returns.toEqualTypeOf<{ on: boolean; at: number }>();
      lamp.record({ type: 'turned', on: true });
      // @ts-expect-error no event of that type
      lamp.record({ type: 'broken' });
      // @ts-expect-error a lamp is dimmed to a number
      lamp.record({ type: 'dimmed', to: 'half' });
      // @ts-expect-error what another type of event has
      lamp.record({ type: 'dimmed', on: true });
      // @ts-expect-error the state is read
      lamp.state = { on: true, at: 1 };
    };
    expectTypeOf(check).toBeFunction();
  });

  it('those of KVM and of huge pages', () => {
    const check = (): void => {
      const kvm = memfile.declare(KVM_EVENTS);
      expectTypeOf(kvm.record).parameter(0).toEqualTypeOf<KvmEvent>();
      expectTypeOf(kvm.state).toEqualTypeOf<KvmState>();
      const huge = memfile.declare(HUGETLB_EVENTS);
      huge.record({ type: 'promised 3', places: [] });
      // @ts-expect-error files have numbers
      huge.record({ type: 'promised ram', places: [] });
      // @ts-expect-error a pool has counters
      huge.record({ type: 'pool', pageSize: '2M' });
    };
    expectTypeOf(check).toBeFunction();
  });

  it('an upcaster makes the next shape of the one before', () => {
    const check = (): void => {
      const first = EventHistory.first<{ readonly type: 'dimmed'; readonly percent: number }>();
      const history = first.next(({ percent }): Lamp => ({ type: 'dimmed', to: percent / 100 }));
      expectTypeOf(history).toEqualTypeOf<EventHistory<Lamp>>();
      // @ts-expect-error there is no percent any more
      history.next(({ percent }) => ({ type: 'dimmed', to: percent }));
      // @ts-expect-error a state is not another one
      defineEvents<Lamp, number>({ ...LAMP, initial: 0 });
    };
    expectTypeOf(check).toBeFunction();
  });

  it('a memfile is where stores and adapters declare theirs', () => {
    expectTypeOf<Memfile>().toExtend<PluginHost>();
  });
});
