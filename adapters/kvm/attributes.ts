import { Extents, MemfileError, type PageRange } from '../../core/index.js';
import { pagesOf } from './bytes.js';
import type { Memslots } from './memslots.js';
import { gfnRange, type MemslotPiece } from './piece.js';

/** `KVM_MEMORY_ATTRIBUTE_PRIVATE`: the only attribute there is. */
export const MEMORY_ATTRIBUTE_PRIVATE = 8;

/** Guest pages are numbered below this: 52 bits of physical address. */
export const MAX_GFN = 2 ** 40;

/** `struct kvm_memory_attributes`: address and size in bytes. */
export interface MemoryAttributes {
  readonly address: number;
  readonly size: number;
  /** `MEMORY_ATTRIBUTE_PRIVATE` or 0. */
  readonly attributes: number;
  readonly flags?: number | undefined;
}

/** What of a range of guest pages has another attribute, by who decides on it. */
export interface Changing {
  /** Pages of files that own their attributes. */
  readonly files: readonly MemslotPiece[];
  /** Guest pages whose attribute is the VM's. */
  readonly own: readonly PageRange[];
}

/**
 * Which guest pages are private; shared by default. Where a slot takes shared and private accesses
 * from one file, the file says; elsewhere the VM itself. Guest pages, half-open.
 */
export class Attributes {
  readonly #own = new Extents();
  readonly #slots: () => Memslots;

  constructor(slots: () => Memslots) {
    this.#slots = slots;
  }

  isPrivate(gfn: number): boolean {
    const owner = this.#slots().at(gfn)?.owner;
    if (owner === undefined) return this.#own.has(gfn);
    return owner.piece.file.isPrivate(owner.offsetOf(gfn));
  }

  /** Whether every page of `[start, end)` is private, or none is. */
  uniform(start: number, end: number, isPrivate: boolean): boolean {
    const { files, own } = this.changing(start, end, isPrivate);
    return files.length === 0 && own.length === 0;
  }

  /** The private pages of `[start, end)`, as sorted ranges. */
  privateRanges(start = 0, end = MAX_GFN): PageRange[] {
    const { files, own } = this.changing(start, end, false);
    const pages = new Extents();
    for (const range of own) pages.add(range.start, range.end);
    for (const { gfn, pages: count } of files) pages.add(gfn, gfn + count);
    return pages.ranges();
  }

  /** What of `[start, end)` is not private, or not shared, as sorted pieces. */
  changing(start: number, end: number, isPrivate: boolean): Changing {
    const own: PageRange[] = [];
    const files: MemslotPiece[] = [];
    const ownOf = (from: number, to: number): void => {
      own.push(...(isPrivate ? this.#own.holes(from, to) : this.#own.ranges(from, to)));
    };
    let at = start;
    for (const { owner } of this.#slots().within(start, end)) {
      const piece = owner?.piece;
      if (piece === undefined) continue;
      ownOf(at, Math.max(at, piece.gfn));
      at = Math.min(end, piece.gfn + piece.pages);
      const { file, offset } = piece;
      const first = offset + Math.max(0, start - piece.gfn);
      const last = offset + (at - piece.gfn);
      const already = new Extents();
      for (const range of file.privatePages(first, last)) already.add(range.start, range.end);
      for (const range of isPrivate ? already.holes(first, last) : already.ranges()) {
        const gfns = gfnRange(piece, range.start, range.end)!;
        const pages = gfns.end - gfns.start;
        files.push({ file, offset: range.start, gfn: gfns.start, pages });
      }
    }
    ownOf(at, end);
    return { files, own };
  }

  /** Sets what is the VM's own to say. */
  set(start: number, end: number, isPrivate: boolean): void {
    if (isPrivate) this.#own.add(start, end);
    else this.#own.delete(start, end);
  }
}

/**
 * What KVM_SET_MEMORY_ATTRIBUTES asks for, in guest pages.
 * @throws MemfileError EINVAL for flags, an unknown attribute, no size, an address or a size that
 * is not aligned, or a range that wraps.
 */
export function checkAttributes(
  asked: MemoryAttributes,
): PageRange & { readonly private: boolean } {
  const refuse = (detail: string): MemfileError =>
    new MemfileError('EINVAL', 'setMemoryAttributes', detail);
  if (typeof asked !== 'object' || asked === null) throw refuse(`got ${String(asked)}`);
  const { address, size, attributes, flags = 0 } = asked;
  if (flags !== 0) throw refuse(`there are no flags, got ${flags}`);
  if (attributes !== 0 && attributes !== MEMORY_ATTRIBUTE_PRIVATE) {
    throw refuse(`attributes ${attributes} are not supported; 0 and 8 (private) are`);
  }
  const range = pagesOf('setMemoryAttributes', ['address', 'size'], address, size);
  if (range.start === range.end) throw refuse('size is 0');
  if (range.end > MAX_GFN) throw refuse(`guest memory ends at guest page ${MAX_GFN}`);
  return { ...range, private: attributes === MEMORY_ATTRIBUTE_PRIVATE };
}
