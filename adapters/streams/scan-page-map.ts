import { distinctUntilChanged, scan, type OperatorFunction } from 'rxjs';
import { MemfileError, type Notification, type PageRange } from '../../core/index.js';
import { normalize, subtract } from '../../core/page-range.js';
import type { Gap } from './buffered.js';
import type { Merged } from './merging.js';

/**
 * Emits which pages are populated, as sorted ranges that do not touch: at the snapshot, and after
 * every notification that changed it. Each is a new list that nobody touches again.
 *
 * - `snapshot`: starts over from its ranges.
 * - `fallocate`: its pages are there.
 * - `invalidateEnd`: its pages are gone, apart from `kept`.
 * - `invalidate`: changes nothing; pages on their way out are there until the end.
 * - `prepare`, `rollback`: change nothing; pages that may still be refused are not there yet.
 * - what `boundedBuffer` makes: `merged` counts as all that it stands for, and a `gap` changes
 *   nothing, since a snapshot follows.
 *
 * Errors with MemfileError EINVAL when something comes before the first snapshot: a registration
 * starts without one, `notifications$` with it.
 */
export function scanPageMap(): OperatorFunction<Notification | Merged | Gap, readonly PageRange[]> {
  return (source) => source.pipe(scan(after, NOTHING), distinctUntilChanged());
}

/** Before the snapshot; known by its identity. */
const NOTHING: readonly PageRange[] = [];

function after(
  pages: readonly PageRange[],
  item: Notification | Merged | Gap,
): readonly PageRange[] {
  if (item.type === 'snapshot') return [...item.ranges];
  if (pages === NOTHING) {
    throw new MemfileError(
      'EINVAL',
      'scanPageMap',
      `'${item.type}' came before any snapshot, so what was there before is not known; ` +
        'start from notifications$(), which emits a snapshot first',
    );
  }
  switch (item.type) {
    case 'fallocate':
      return changed(pages, [], [item]);
    case 'invalidateEnd':
      return changed(pages, [item], item.kept ?? []);
    case 'merged':
      return changed(pages, item.left, item.populated);
    default:
      return pages;
  }
}

/** The same list when nothing changed. */
function changed(
  pages: readonly PageRange[],
  left: readonly PageRange[],
  came: readonly PageRange[],
): readonly PageRange[] {
  const now = normalize([
    ...subtract(pages, left),
    ...came.map(({ start, end }) => ({ start, end })),
  ]);
  const same =
    now.length === pages.length &&
    now.every(({ start, end }, i) => start === pages[i]!.start && end === pages[i]!.end);
  return same ? pages : now;
}
