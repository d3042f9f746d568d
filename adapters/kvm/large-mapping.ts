import type { Lease, PageRange } from '../../core/index.js';
import type { Attributes } from './attributes.js';
import type { Binding } from './binding.js';
import { LARGE_LEVELS, LEVEL_PAGES, type Level } from './levels.js';
import type { Memslot } from './memslot.js';

/** A mapping that could be made. */
interface Candidate extends PageRange {
  readonly level: Level;
  /** The frame of `start`. */
  readonly pfn: number;
}

/** What of a fault decides how large its mapping may be. */
interface LookedUp {
  readonly gfn: number;
  readonly private: boolean;
  readonly slot: Memslot | undefined;
  readonly binding: Binding | undefined;
  readonly lease: Lease | undefined;
}

/**
 * The largest mapping that a fault may make: as large as the order of the frame, where guest page
 * and file page are aligned alike, inside the piece, and with one attribute throughout. A slot that
 * logs dirty pages gets single pages, as in `kvm_mmu_hugepage_adjust`.
 */
export function mappingAt(attributes: Pick<Attributes, 'uniform'>, fault: LookedUp): Candidate {
  const { gfn } = fault;
  const { piece } = fault.binding!;
  const { order, pfn } = fault.lease!;
  for (const level of LARGE_LEVELS) {
    const pages = LEVEL_PAGES[level];
    const start = gfn - (gfn % pages);
    const end = start + pages;
    if (2 ** order < pages || fault.slot!.logDirty) continue;
    if ((piece.gfn - piece.offset) % pages !== 0) continue;
    if (start < piece.gfn || end > piece.gfn + piece.pages) continue;
    if (!attributes.uniform(start, end, fault.private)) continue;
    return { level, start, end, pfn: pfn - (gfn - start) };
  }
  return { level: 1, start: gfn, end: gfn + 1, pfn };
}
