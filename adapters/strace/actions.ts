/** A part of a live shared mapping of a memory file: where it lies, and what it shows of the file. */
export interface MappedPiece {
  readonly mapping: number;
  readonly file: number;
  readonly address: number;
  readonly length: number;
  readonly offset: number;
}

/**
 * One address space of the log: the same object in every action about it, alive while the log is
 * read. `resolve` answers for the state after the last action of the batch being handled; a batch
 * ends with every line that maps, unmaps or sets a memslot, so that this is the state of that line.
 */
export interface AddressSpace {
  readonly id: number;
  /** The live shared mappings of memory files in the range, clipped to it, by address. */
  resolve(address: number, length: number): MappedPiece[];
}

/** Files, mappings and VMs have small ids in order of creation, each kind from 1. */
export type TraceAction =
  | {
      readonly type: 'create';
      readonly file: number;
      readonly name: string;
      readonly flags: string;
      readonly hugetlb: boolean;
    }
  | { readonly type: 'resize'; readonly file: number; readonly bytes: number }
  | {
      readonly type: 'allocate';
      readonly file: number;
      readonly offset: number;
      readonly length: number;
      readonly keepSize: boolean;
    }
  | {
      readonly type: 'punch';
      readonly file: number;
      readonly offset: number;
      readonly length: number;
    }
  | {
      /** One shared mapping of a memory file; private ones only keep their file alive. */
      readonly type: 'map';
      readonly mapping: number;
      readonly space: AddressSpace;
      readonly file: number;
      readonly address: number;
      readonly length: number;
      readonly offset: number;
    }
  | {
      /** A part of a mapping went, by munmap, by a newer mapping over it, by exec or exit. */
      readonly type: 'unmap';
      readonly mapping: number;
      readonly space: AddressSpace;
      readonly address: number;
      readonly length: number;
      /** Nothing is left of the mapping. */
      readonly gone: boolean;
    }
  | {
      /** madvise(MADV_DONTNEED): the mapping forgets its translations, the file keeps its pages. */
      readonly type: 'drop';
      readonly mapping: number;
      readonly space: AddressSpace;
      readonly address: number;
      readonly length: number;
    }
  | {
      /** madvise(MADV_REMOVE): a punch made through a mapping. */
      readonly type: 'remove';
      readonly file: number;
      readonly mapping: number;
      readonly offset: number;
      readonly length: number;
    }
  | {
      /** KVM_SET_USER_MEMORY_REGION; 0 bytes delete the slot. */
      readonly type: 'memslot';
      readonly vm: number;
      readonly space: AddressSpace;
      readonly slot: number;
      readonly flags: string;
      readonly gpa: number;
      readonly bytes: number;
      readonly hva: number;
    }
  /** The last descriptor of the VM is closed, before the log ends. */
  | { readonly type: 'destroy'; readonly vm: number }
  /** The last descriptor and the last mapping of the file are gone. */
  | { readonly type: 'release'; readonly file: number };
