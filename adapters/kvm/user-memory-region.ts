import { MemfileError, PAGE_SIZE, type MemoryFile } from '../../core/index.js';
import { checkAligned, pagesOf } from './bytes.js';
import type { MemslotSpec } from './memslot.js';
import type { MemslotPiece } from './piece.js';

/** Bits of `flags`, as in linux/kvm.h. */
export const KVM_MEM = { LOG_DIRTY_PAGES: 1, READONLY: 2, GUEST_MEMFD: 4 } as const;

/** `struct kvm_userspace_memory_region2`: addresses, sizes and offsets in bytes. */
export interface UserMemoryRegion {
  readonly slot: number;
  /** Of {@link KVM_MEM}. */
  readonly flags?: number | undefined;
  readonly guestPhysAddr: number;
  /** 0 deletes the slot. */
  readonly memorySize: number;
  /** Where the memory of shared accesses lies in the VMM; 0 by default. */
  readonly userspaceAddr?: number | undefined;
  readonly guestMemfd?: MemoryFile | undefined;
  readonly guestMemfdOffset?: number | undefined;
}

/** What is mapped in the process of the VMM, in bytes. */
export interface UserspaceMemory {
  /** The parts of `[address, address + length)` that are memory files, sorted. */
  resolve(
    address: number,
    length: number,
  ): Iterable<{
    readonly address: number;
    readonly length: number;
    readonly file: MemoryFile;
    readonly offset: number;
  }>;
}

/**
 * A region as a slot in pages.
 * @throws MemfileError EINVAL for flags that `version` does not know or that exclude each other,
 * and for addresses, sizes and offsets that are not aligned or wrap.
 */
export function regionToSpec(
  region: UserMemoryRegion,
  version: 1 | 2,
  memory: UserspaceMemory | undefined,
): MemslotSpec {
  const { slot, flags = 0, guestPhysAddr, memorySize, userspaceAddr = 0 } = region;
  const { guestMemfd, guestMemfdOffset = 0 } = region;
  const syscall = 'setUserMemoryRegion';
  const overFile = (flags & KVM_MEM.GUEST_MEMFD) !== 0;
  const known = version === 1 ? KVM_MEM.LOG_DIRTY_PAGES | KVM_MEM.READONLY : 7;
  if (!Number.isInteger(flags) || flags < 0 || flags > known || (flags & ~known) !== 0) {
    const detail = `flags ${String(flags)}: version ${version} knows ${known}`;
    throw new MemfileError('EINVAL', syscall, detail);
  }
  const gfns = pagesOf(syscall, ['guestPhysAddr', 'memorySize'], guestPhysAddr, memorySize);
  checkAligned(syscall, 'userspaceAddr', userspaceAddr);
  const pages = gfns.end - gfns.start;
  if (overFile) {
    pagesOf(syscall, ['guestMemfdOffset', 'memorySize'], guestMemfdOffset, memorySize);
    if (guestMemfd === undefined && pages > 0) {
      throw new MemfileError('EBADF', syscall, 'the flag GUEST_MEMFD needs a guestMemfd');
    }
  }
  return {
    slot,
    gfn: gfns.start,
    pages,
    logDirty: (flags & KVM_MEM.LOG_DIRTY_PAGES) !== 0,
    readOnly: (flags & KVM_MEM.READONLY) !== 0,
    userspaceAddr,
    pieces: [...resolve(memory, userspaceAddr, memorySize, gfns.start)],
    guestMemfd:
      overFile && guestMemfd !== undefined
        ? { file: guestMemfd, offset: guestMemfdOffset / PAGE_SIZE }
        : undefined,
  };
}

function* resolve(
  memory: UserspaceMemory | undefined,
  userspaceAddr: number,
  memorySize: number,
  gfn: number,
): Iterable<MemslotPiece> {
  if (memory === undefined || memorySize === 0) return;
  for (const { address, length, file, offset } of memory.resolve(userspaceAddr, memorySize)) {
    yield {
      gfn: gfn + (address - userspaceAddr) / PAGE_SIZE,
      pages: length / PAGE_SIZE,
      file,
      offset: offset / PAGE_SIZE,
    };
  }
}
