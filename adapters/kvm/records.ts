import type { OwnEvents, PluginHost } from '../../core/index.js';
import { KVM_EVENTS, type KvmEvent, type KvmState } from './events.js';
import type { Memslot } from './memslot.js';

/** Writes what becomes of one VM into the journal of a memfile. */
export class VmRecords {
  readonly #events: OwnEvents<KvmEvent, KvmState>;
  readonly #vm: number;

  constructor(memfile: PluginHost, name: string) {
    this.#events = memfile.declare(KVM_EVENTS);
    this.#vm = this.#events.state.lastVm + 1;
    this.#events.record({ type: 'create', vm: this.#vm, name });
  }

  setSlot({ slot, gfn, pages, logDirty, readOnly, pieces, guestMemfd }: Memslot): void {
    this.#events.record({
      type: 'setSlot',
      vm: this.#vm,
      slot,
      gfn,
      pages,
      logDirty,
      readOnly,
      pieces: pieces.map(({ gfn, pages, file, offset }) => ({ gfn, pages, file: file.id, offset })),
      ...(guestMemfd && { guestMemfd: { file: guestMemfd.file.id, offset: guestMemfd.offset } }),
    });
  }

  deleteSlot(slot: number): void {
    this.#events.record({ type: 'deleteSlot', vm: this.#vm, slot });
  }

  setAttributes(start: number, end: number, isPrivate: boolean): void {
    this.#events.record({ type: 'setAttributes', vm: this.#vm, start, end, private: isPrivate });
  }

  dispose(): void {
    this.#events.record({ type: 'dispose', vm: this.#vm });
  }
}
