import {
  defineEvents,
  EventHistory,
  type EventDefinition,
  type PageRange,
} from '../../core/index.js';
import { normalize, subtract } from '../../core/page-range.js';

/** Guest pages `[gfn, gfn + pages)` that are pages of the file of that number, from `offset` on. */
export interface RecordedPiece {
  readonly gfn: number;
  readonly pages: number;
  readonly file: number;
  readonly offset: number;
}

/** A slot as the journal knows it, in pages. */
export interface RecordedSlot {
  readonly slot: number;
  readonly gfn: number;
  readonly pages: number;
  readonly logDirty: boolean;
  readonly readOnly: boolean;
  readonly pieces: readonly RecordedPiece[];
  readonly guestMemfd?: { readonly file: number; readonly offset: number };
}

/** What VMs record of their own; `vm` is a number that no other VM of the journal has. */
export type KvmEvent =
  | { readonly type: 'create'; readonly vm: number; readonly name: string }
  /** A slot is as it says from now on, whether there was one of that number or not. */
  | ({ readonly type: 'setSlot'; readonly vm: number } & RecordedSlot)
  | { readonly type: 'deleteSlot'; readonly vm: number; readonly slot: number }
  /** Guest pages became private or shared, where no file says what they are. */
  | ({ readonly type: 'setAttributes'; readonly vm: number; readonly private: boolean } & PageRange)
  | { readonly type: 'dispose'; readonly vm: number };

export interface RecordedVm {
  readonly vm: number;
  readonly name: string;
  /** By number. */
  readonly slots: readonly RecordedSlot[];
  /** The private guest pages of which no file says so. */
  readonly private: readonly PageRange[];
}

export interface KvmState {
  readonly lastVm: number;
  readonly vms: readonly RecordedVm[];
}

/** Which slots and attributes VMs have: what KvmVm records when it is given a `memfile`. */
export const KVM_EVENTS: EventDefinition<KvmEvent, KvmState> = defineEvents({
  name: 'kvm',
  history: EventHistory.first<KvmEvent>(),
  initial: { lastVm: 0, vms: [] },
  evolve(state: KvmState, event): KvmState {
    switch (event.type) {
      case 'create': {
        const { vm, name } = event;
        return { lastVm: vm, vms: [...state.vms, { vm, name, slots: [], private: [] }] };
      }
      case 'setSlot': {
        const { type: _, vm, ...slot } = event;
        return changed(state, vm, ({ slots, ...rest }) => ({
          ...rest,
          slots: [...slots.filter((other) => other.slot !== slot.slot), slot].sort(
            (a, b) => a.slot - b.slot,
          ),
        }));
      }
      case 'deleteSlot':
        return changed(state, event.vm, ({ slots, ...rest }) => ({
          ...rest,
          slots: slots.filter(({ slot }) => slot !== event.slot),
        }));
      case 'setAttributes': {
        const { start, end } = event;
        return changed(state, event.vm, (vm) => ({
          ...vm,
          private: event.private
            ? normalize([...vm.private, { start, end }])
            : subtract(vm.private, [{ start, end }]),
        }));
      }
      case 'dispose':
        return { ...state, vms: state.vms.filter(({ vm }) => vm !== event.vm) };
      default:
        event satisfies never;
        return state;
    }
  },
  /** VMs die with their process. */
  reopened: ({ lastVm }: KvmState): KvmState => ({ lastVm, vms: [] }),
});

function changed(state: KvmState, id: number, change: (vm: RecordedVm) => RecordedVm): KvmState {
  return { ...state, vms: state.vms.map((vm) => (vm.vm === id ? change(vm) : vm)) };
}
