import type { Extents, MemoryFile, PageRange } from '../../core/index.js';
import type { Binding } from './binding.js';
import type { MemslotPiece } from './piece.js';

/** Where a slot over a file begins in it, in pages. */
export interface GuestMemfd {
  readonly file: MemoryFile;
  readonly offset: number;
}

/**
 * What `KVM_SET_USER_MEMORY_REGION2` describes, in pages.
 *
 * Shared accesses go to the `pieces`, private ones to `guestMemfd`. A slot over a file that has no
 * pieces, and whose file is not inaccessible, takes both from the file, as guest_memfd does when
 * it can be mapped (KVM_MEMSLOT_GMEM_ONLY).
 */
export interface MemslotSpec {
  readonly slot: number;
  readonly gfn: number;
  /** 0 deletes the slot. */
  readonly pages: number;
  /** KVM_MEM_LOG_DIRTY_PAGES. */
  readonly logDirty?: boolean | undefined;
  /** KVM_MEM_READONLY. */
  readonly readOnly?: boolean | undefined;
  /** What is mapped where its memory lies; parts that are no memory file are left out. */
  readonly pieces?: readonly MemslotPiece[] | undefined;
  /** KVM_MEM_GUEST_MEMFD: the slot is over a file, and immutable. */
  readonly guestMemfd?: GuestMemfd | undefined;
  /** Where its memory lies in the VMM, in bytes; only compared, it cannot change. */
  readonly userspaceAddr?: number | undefined;
}

/** A slot that is in the table. */
export interface Memslot extends MemslotSpec, PageRange {
  readonly logDirty: boolean;
  readonly readOnly: boolean;
  readonly pieces: readonly MemslotPiece[];
  /** KVM_MEMSLOT_INVALID: it is being deleted or moved, and faults have to come again. */
  readonly invalid: boolean;
  readonly bindings: readonly Binding[];
  /** The binding that takes shared and private accesses: its file says which pages are private. */
  readonly owner: Binding | undefined;
  /** The guest pages written since the log was last read. */
  readonly dirty: Extents | undefined;
}
