import { filter, map, type MonoTypeOperatorFunction } from 'rxjs';
import type { Notification, PageRange } from '../../core/index.js';
import { checkRange, clip, overlaps } from '../../core/page-range.js';

/**
 * Lets through what concerns the pages `[start, end)`, half-open, clipped to them.
 *
 * - `snapshot`: always passes, with its ranges clipped; they may be none.
 * - everything else: passes when it overlaps, with `start`, `end` and `kept` clipped. Its
 *   `waitUntil` is that of the notification it was cut from.
 *
 * A range given to `notifications$` or `register` costs less, since nothing outside it is told in
 * the first place; this is for several ranges that share one subscription.
 *
 * @throws MemfileError EINVAL unless `0 <= start < end` and both are page numbers.
 */
export function withinRange(range: PageRange): MonoTypeOperatorFunction<Notification> {
  checkRange('withinRange', range.start, range.end);
  const within: PageRange = { start: range.start, end: range.end };
  return (source) =>
    source.pipe(
      map((notification) => cut(notification, within)),
      filter((notification) => notification !== undefined),
    );
}

function cut(notification: Notification, within: PageRange): Notification | undefined {
  if (notification.type === 'snapshot') {
    return { ...notification, ranges: clip(notification.ranges, within) };
  }
  if (!overlaps(notification, within)) return undefined;
  const { kept: stayed, ...told } = notification;
  const kept = clip(stayed ?? [], within);
  const clipped: Notification = {
    ...told,
    start: Math.max(told.start, within.start),
    end: Math.min(told.end, within.end),
    waitUntil: (promise) => notification.waitUntil(promise),
  };
  return kept.length === 0 ? clipped : { ...clipped, kept };
}
