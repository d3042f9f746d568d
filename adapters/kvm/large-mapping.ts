import type { Lease } from '../../core/index.js';
import type { Attributes } from './attributes.js';
import type { Binding } from './binding.js';
import { LARGE_LEVELS, LEVEL_PAGES, type Level } from './levels.js';
import type { Memslot } from './memslot.js';

/** What of a fault decides how large its mapping may be. */
interface LookedUp {
  readonly gfn: number;
  readonly private: boolean;
  readonly slot: Memslot | undefined;
  readonly binding: Binding | undefined;
  readonly lease: Lease | undefined;
}

/**
 * How large a mapping a fault may make: as large as the order of the frame, where guest page and
 * file page are aligned alike, inside the piece, and with one attribute throughout. A slot that
 * logs dirty pages gets single pages, as in `kvm_mmu_hugepage_adjust`.
 */
export function largestLevel(attributes: Pick<Attributes, 'uniform'>, fault: LookedUp): Level {
  return fault.lease!.order === 0 || fault.slot!.logDirty ? 1 : levelOf(attributes, fault);
}

function levelOf(attributes: Pick<Attributes, 'uniform'>, fault: LookedUp): Level {
  const { gfn } = fault;
  const { order } = fault.lease!;
  const { piece } = fault.binding!;
  for (const level of LARGE_LEVELS) {
    const pages = LEVEL_PAGES[level];
    const start = gfn - (gfn % pages);
    const end = start + pages;
    if (2 ** order < pages) continue;
    if ((piece.gfn - piece.offset) % pages !== 0) continue;
    if (start < piece.gfn || end > piece.gfn + piece.pages) continue;
    if (attributes.uniform(start, end, fault.private)) return level;
  }
  return 1;
}
