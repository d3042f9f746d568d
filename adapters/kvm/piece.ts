import type { MemoryFile, PageRange } from '../../core/index.js';

/** Guest pages `[gfn, gfn + pages)` that are pages `[offset, …)` of a memory file. */
export interface MemslotPiece {
  readonly gfn: number;
  readonly pages: number;
  readonly file: MemoryFile;
  /** The page of the file that `gfn` is. */
  readonly offset: number;
}

/**
 * The guest pages that an event on pages `[start, end)` of the file concerns, or undefined.
 *
 * The intersection, as guest_memfd has it since 6.8; earlier versions of the series added or
 * clamped on one side only, and lost or widened events (see test/museum).
 */
export function gfnRange(
  piece: Pick<MemslotPiece, 'gfn' | 'pages' | 'offset'>,
  start: number,
  end: number,
): PageRange | undefined {
  const from = Math.max(piece.offset, start);
  const to = Math.min(piece.offset + piece.pages, end);
  if (from >= to) return undefined;
  return { start: piece.gfn + (from - piece.offset), end: piece.gfn + (to - piece.offset) };
}
