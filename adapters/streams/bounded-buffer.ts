import { Observable, type ObservableInput, type OperatorFunction } from 'rxjs';
import { MemfileError, type Notification } from '../../core/index.js';
import type { Buffered, BufferOptions, BufferPolicy } from './buffered.js';
import { Feed } from './feed.js';

/**
 * Hands notifications to a slow consumer, one at a time, while at most `capacity` items wait.
 *
 * `consume` is called with the next item when what it answered for the one before (a promise, an
 * observable) is over: that is how the consumer says that it keeps up. What it emits is emitted.
 * The producer is never slowed down, as nothing behind `pipe()` can do that; when there is no room:
 *
 * - `'merge'`: the last item that waits takes the new notification in and becomes a `Merged`, or
 *   stays a snapshot. The page map comes out exact. Memory is `capacity` items, each no larger than
 *   a snapshot of the range when its pages are as finely split up; how many notifications there
 *   were does not count.
 * - `'drop'`: the new notification is dropped, and every one after it until nothing waits any more.
 *   Then comes a `Gap`, and the source is subscribed to anew: it must be cold and start with a
 *   snapshot, as `notifications$()` is and does.
 * - `'fail'`: errors with MemfileError ENOBUFS at once, and what waits is lost.
 *
 * All types of notification count alike. When the source completes, what waits is handed out first;
 * an error of the source, or of `consume`, comes through at once.
 *
 * @throws MemfileError EINVAL for a capacity that is no positive integer or an unknown policy.
 */
export function boundedBuffer<P extends BufferPolicy, R>(
  options: BufferOptions<P>,
  consume: (item: Buffered<P>) => ObservableInput<R>,
): OperatorFunction<Notification, R> {
  const { capacity, policy } = options;
  checkOptions(capacity, policy);
  return (source) =>
    new Observable((subscriber) => {
      const handOver = consume as (item: Buffered) => ObservableInput<R>;
      new Feed(source, { capacity, policy }, handOver, subscriber).follow();
    });
}

function checkOptions(capacity: number, policy: string): void {
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw refused(`capacity must be a positive integer, got ${String(capacity)}`);
  }
  if (!['merge', 'drop', 'fail'].includes(policy)) {
    throw refused(`policy must be 'merge', 'drop' or 'fail', got ${String(policy)}`);
  }
}

function refused(why: string): MemfileError {
  return new MemfileError('EINVAL', 'boundedBuffer', why);
}
