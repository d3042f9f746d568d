import type { PfnRun } from './backing-store.js';
import type { Access, Side } from './capabilities.js';
import { clip, subtract, type PageRange } from './page-range.js';
import type { FileState } from './state.js';

/**
 * What of sorted pages that are there a consumer can use: those of its side, and without poison.
 * Every source that has a say is combined here, and nowhere else.
 */
export function usable(
  state: FileState,
  there: readonly PageRange[],
  access: Access,
): readonly PageRange[] {
  const { private: attributes, poisoned } = state;
  let pages = there;
  if (poisoned.pages > 0) pages = subtract(pages, poisoned.ranges());
  if (access === 'both' || (access === 'shared' && attributes.pages === 0)) return pages;
  return pages.flatMap((range) => ofSide(state, range, access));
}

/** What of a range is of one side, there or not. */
export function ofSide(
  { private: attributes }: FileState,
  { start, end }: PageRange,
  side: Side,
): PageRange[] {
  return side === 'private' ? attributes.ranges(start, end) : attributes.holes(start, end);
}

/** A range in pieces that are of one side each. */
export function bySide(
  state: FileState,
  range: PageRange,
): readonly (PageRange & { readonly side: Side })[] {
  if (state.private.pages === 0) return [{ ...range, side: 'shared' }];
  const pieces = (['shared', 'private'] as const).flatMap((side) =>
    ofSide(state, range, side).map((piece) => ({ ...piece, side })),
  );
  return pieces.sort((a, b) => a.start - b.start);
}

/** The frames of what a consumer with such access can use of a range. */
export function usableFrames(state: FileState, range: PageRange, access: Access): PfnRun[] {
  return usable(state, state.frames.ranges(range.start, range.end), access).flatMap((pages) =>
    state.frames
      .runs(pages.start, pages.end)
      .map(({ start, end, value }) => ({ start, end, pfn: value })),
  );
}

/** What of sorted ranges a consumer of `range` can use. */
export function usableIn(
  state: FileState,
  there: readonly PageRange[],
  consumer: { readonly range: PageRange; readonly access: Access },
): readonly PageRange[] {
  return usable(state, clip(there, consumer.range), consumer.access);
}

/** What of sorted runs lies in `within`. */
export function clipRuns(runs: readonly PfnRun[], within: PageRange): PfnRun[] {
  return runs.flatMap((run) =>
    clip([run], within).map((part) => ({ ...part, pfn: run.pfn + (part.start - run.start) })),
  );
}
