import { Extents, MemfileError, type PageRange } from '../../core/index.js';
import { pagesOf } from './bytes.js';

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

/** Which guest pages are private; shared by default. Guest pages, half-open. */
export class Attributes {
  readonly #private = new Extents();

  isPrivate(gfn: number): boolean {
    return this.#private.has(gfn);
  }

  /** Whether every page of `[start, end)` is private, or none is. */
  uniform(start: number, end: number, isPrivate: boolean): boolean {
    if (!isPrivate && this.#private.pages === 0) return true;
    const others = isPrivate ? this.#private.holes(start, end) : this.#private.ranges(start, end);
    return others.length === 0;
  }

  /** The private pages of `[start, end)`, as sorted ranges. */
  privateRanges(start?: number, end?: number): PageRange[] {
    return this.#private.ranges(start, end);
  }

  set(start: number, end: number, isPrivate: boolean): void {
    if (isPrivate) this.#private.add(start, end);
    else this.#private.delete(start, end);
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
