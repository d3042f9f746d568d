import { PAGE_SIZE, type PageRange } from '../../core/index.js';
import type { VmmMapping } from '../vmm-mapping/index.js';

/** A mapping of a trace while it runs; the address in bytes. */
export interface MappingRun {
  readonly mapping: VmmMapping;
  readonly file: number;
  readonly address: number;
  /** The first page of the file that is mapped. */
  readonly page: number;
}

/** The pages of the file that an action on a part of its mapping is about. */
export function pagesOf(
  { page, address }: MappingRun,
  part: { readonly address: number; readonly length: number },
): PageRange {
  const start = page + (part.address - address) / PAGE_SIZE;
  return { start, end: start + Math.ceil(part.length / PAGE_SIZE) };
}
