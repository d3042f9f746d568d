import { PAGE_SIZE, type MemoryFile } from '../../core/index.js';
import type { KvmVm, MemslotPiece, MemslotSpec } from '../kvm/index.js';
import type { AddressSpace, TraceAction } from '../strace/index.js';

type MemslotAction = Extract<TraceAction, { readonly type: 'memslot' }>;

/** The bits of a slot's number that are the slot; those above are its address space. */
const SLOT_BITS = 2 ** 16;

/** Which address space of its VM a slot is in: 0, or 1 for system management mode. */
export function addressSpaceOf(slot: number): number {
  return Math.floor(slot / SLOT_BITS);
}

/**
 * One address space of a VM of a trace. Its slots are set by address in the VMM's process; which
 * pages of which file lie there follows from what is mapped, and changes with it.
 */
export class VmRun {
  readonly vm: KvmVm;
  readonly space: AddressSpace;
  readonly #fileOf: (id: number) => MemoryFile;
  readonly #slots = new Map<number, MemslotAction>();
  maxLiveSlots = 0;

  constructor(vm: KvmVm, space: AddressSpace, fileOf: (id: number) => MemoryFile) {
    this.vm = vm;
    this.space = space;
    this.#fileOf = fileOf;
  }

  async set(action: MemslotAction): Promise<void> {
    if (action.bytes === 0) {
      if (!this.#slots.delete(action.slot)) return; // Created before the log began.
    } else this.#slots.set(action.slot, action);
    this.maxLiveSlots = Math.max(this.maxLiveSlots, this.#slots.size);
    await this.vm.setMemslot(this.#spec(action));
  }

  /** What is mapped at `[address, address + length)` has changed. */
  async remapped(address: number, length: number): Promise<void> {
    for (const slot of this.#slots.values()) {
      const overlaps = slot.hva < address + length && address < slot.hva + slot.bytes;
      if (overlaps) await this.vm.setMemslot(this.#spec(slot));
    }
  }

  /** The process dropped its own translations there, and KVM follows it. */
  dropped(address: number, length: number): void {
    for (const { hva, bytes, gpa } of this.#slots.values()) {
      const from = Math.max(hva, address);
      const to = Math.min(hva + bytes, address + length);
      if (from >= to) continue;
      const start = (gpa + from - hva) / PAGE_SIZE;
      this.vm.zap({ start, end: start + (to - from) / PAGE_SIZE });
    }
  }

  #spec({ slot, flags, gpa, bytes, hva }: MemslotAction): MemslotSpec {
    const pieces: MemslotPiece[] = [];
    for (const piece of bytes === 0 ? [] : this.space.resolve(hva, bytes)) {
      pieces.push({
        gfn: (gpa + piece.address - hva) / PAGE_SIZE,
        pages: piece.length / PAGE_SIZE,
        file: this.#fileOf(piece.file),
        offset: piece.offset / PAGE_SIZE,
      });
    }
    return {
      slot: slot % SLOT_BITS,
      gfn: gpa / PAGE_SIZE,
      pages: bytes / PAGE_SIZE,
      logDirty: flags.includes('KVM_MEM_LOG_DIRTY_PAGES'),
      readOnly: flags.includes('KVM_MEM_READONLY'),
      pieces,
    };
  }
}
