import { MemfileError, type ErrnoCode, type PageRange } from '../../core/index.js';
import type { Memslot, MemslotSpec } from './memslot.js';
import type { Memslots } from './memslots.js';
import type { MemslotPiece } from './piece.js';

/** How many slots a VM has: KVM_CAP_NR_MEMSLOTS of x86. */
export const MAX_SLOTS = 32_764;
/** KVM_MEM_MAX_NR_PAGES. */
const MAX_SLOT_PAGES = 2 ** 31 - 1;
/** Guest pages of a 64-bit address. */
const MAX_GFN = 2 ** 52;

/** What setting a slot comes to. */
export type SlotChange =
  | { readonly kind: 'none' }
  | { readonly kind: 'create' }
  /** To another place, or what is mapped where its memory lies has changed. */
  | { readonly kind: 'delete' | 'move' | 'flags'; readonly old: Memslot };

/**
 * Decides what setting a slot does, as `kvm_set_memory_region` (virt/kvm/kvm_main.c).
 * @throws MemfileError EINVAL, EEXIST or EBADF; nothing is changed.
 */
export function planChange(slots: Memslots, spec: MemslotSpec, maxSlots: number): SlotChange {
  checkShape(spec, maxSlots);
  const { slot, gfn, pages, guestMemfd } = spec;
  const old = slots.get(slot);
  if (pages === 0) {
    if (old === undefined) throw refuse('EINVAL', `there is no slot ${slot} to delete`);
    return { kind: 'delete', old };
  }
  if (old !== undefined) {
    checkModification(old, spec);
    if (old.gfn === gfn && samePieces(old.pieces, spec.pieces ?? [])) {
      const same = old.logDirty === (spec.logDirty ?? false);
      return same ? { kind: 'none' } : { kind: 'flags', old };
    }
  }
  const other = slots.overlapping(gfn, gfn + pages, slot);
  if (other !== undefined) {
    throw refuse('EEXIST', `guest pages [${gfn}, ${gfn + pages}) overlap slot ${other.slot}`);
  }
  if (old !== undefined) return { kind: 'move', old };
  if (guestMemfd !== undefined) checkBinding(slots, spec);
  return { kind: 'create' };
}

function checkShape(spec: MemslotSpec, maxSlots: number): void {
  const { slot, gfn, pages, logDirty = false, readOnly = false, guestMemfd } = spec;
  if (guestMemfd !== undefined && logDirty) {
    throw refuse('EINVAL', 'a slot over a file cannot log dirty pages');
  }
  if (guestMemfd !== undefined && readOnly) {
    throw refuse('EINVAL', 'a slot over a file cannot be read-only');
  }
  if (!isCount(slot) || slot >= maxSlots) {
    throw refuse('EINVAL', `slot must be below ${maxSlots}, got ${String(slot)}`);
  }
  if (!isCount(gfn) || !isCount(pages) || pages > MAX_SLOT_PAGES || gfn + pages >= MAX_GFN) {
    throw refuse('EINVAL', `guest pages ${String(gfn)} and ${String(pages)} more are no range`);
  }
  if (pages > 0) checkPieces(spec.pieces ?? [], { start: gfn, end: gfn + pages });
}

function checkPieces(pieces: readonly MemslotPiece[], { start, end }: PageRange): void {
  let at = start;
  for (const piece of [...pieces].sort((a, b) => a.gfn - b.gfn)) {
    const whole = isCount(piece.gfn) && isCount(piece.pages) && isCount(piece.offset);
    if (!whole || piece.pages === 0 || piece.gfn < at || piece.gfn + piece.pages > end) {
      const where = `[${piece.gfn}, ${piece.gfn + piece.pages})`;
      throw refuse('EINVAL', `piece ${where} overlaps another or is outside [${start}, ${end})`);
    }
    at = piece.gfn + piece.pages;
  }
}

/** A slot over a file is immutable; of any other its size and its right to write are. */
function checkModification(old: Memslot, spec: MemslotSpec): void {
  if (old.guestMemfd !== undefined || spec.guestMemfd !== undefined) {
    throw refuse('EINVAL', `slot ${old.slot} is over a file: delete it, then create it anew`);
  }
  const resized = old.pages !== spec.pages;
  const turned = old.readOnly !== (spec.readOnly ?? false);
  if (resized || turned || (old.userspaceAddr ?? 0) !== (spec.userspaceAddr ?? 0)) {
    const what = resized ? 'size' : turned ? 'right to write' : 'userspaceAddr';
    throw refuse('EINVAL', `the ${what} of slot ${old.slot} cannot change: delete it first`);
  }
}

/** What `kvm_gmem_bind` refuses. */
function checkBinding(slots: Memslots, { slot, pages, guestMemfd }: MemslotSpec): void {
  const { file, offset } = guestMemfd!;
  if (file.closed) throw refuse('EBADF', `"${file.name}" is closed`);
  if (!isCount(offset) || offset + pages > file.pages) {
    const range = `[${offset}, ${offset + pages})`;
    throw refuse('EINVAL', `pages ${range} reach past the ${file.pages} pages of "${file.name}"`);
  }
  for (const other of slots) {
    const bound = other.guestMemfd;
    if (bound?.file !== file) continue;
    if (offset < bound.offset + other.pages && bound.offset < offset + pages) {
      throw refuse(
        'EEXIST',
        `slot ${other.slot} has pages of "${file.name}" that ${slot} asks for`,
      );
    }
  }
}

function samePieces(old: readonly MemslotPiece[], pieces: readonly MemslotPiece[]): boolean {
  return (
    old.length === pieces.length &&
    old.every((piece, i) => {
      const { gfn, pages, file, offset } = pieces[i]!;
      const samePlace = piece.gfn === gfn && piece.pages === pages;
      return samePlace && piece.file === file && piece.offset === offset;
    })
  );
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function refuse(code: ErrnoCode, detail: string): MemfileError {
  return new MemfileError(code, 'setMemslot', detail);
}
