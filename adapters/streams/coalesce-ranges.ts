import {
  asapScheduler,
  Observable,
  takeWhile,
  type MonoTypeOperatorFunction,
  type SchedulerLike,
  type Subscription,
} from 'rxjs';
import { MemfileError, type Notification, type PageRange, type Told } from '../../core/index.js';
import { normalize, subtract } from '../../core/page-range.js';

/** How many ranges that do not touch may wait for the end of the turn; more are emitted at once. */
const MOST_RUNS = 64;

/** Notifications that became one. */
interface Run extends PageRange {
  readonly position: number;
  readonly kept: readonly PageRange[];
}

/**
 * Joins notifications of one type and one reason whose ranges touch or overlap, when they come in
 * one turn: a microtask, or what `scheduler` makes of a delay of 0.
 *
 * - everything with a range (`prepare`, `fallocate`, `rollback`, `invalidate`, `invalidateEnd`): one
 *   notification for each stretch of pages, at the end of the turn, with the position of the last
 *   in it; `kept` is what stayed after all of them. Stretches come in the order of their positions.
 * - `snapshot`: passes at once.
 *
 * Order between types holds: a notification of another type or reason, a snapshot, completion and
 * errors first emit what waits. Beginnings and ends balance by page, no longer one by one. At most
 * 64 stretches wait; the next is preceded by them.
 *
 * `waitUntil` throws EINVAL: behind `pipe()`, and after the turn, nothing can be waited for.
 */
export function coalesceRanges(
  scheduler: SchedulerLike = asapScheduler,
): MonoTypeOperatorFunction<Notification> {
  return (source) =>
    new Observable((subscriber) => {
      let told: Told | undefined;
      let runs: readonly Run[] = [];
      let turn: Subscription | undefined;
      const emit = (): void => {
        const waiting = runs;
        runs = [];
        for (const run of waiting) subscriber.next(merged(told!, run));
      };
      const endTurn = (): void => {
        if (turn !== undefined) subscriber.remove(turn); // Or every turn would leave one behind.
        turn = undefined;
        emit();
      };
      const wait = (next: Told): void => {
        if (next.type !== told?.type || next.reason !== told.reason) emit();
        told = next;
        const apart = runs.filter((run) => !touches(run, next));
        if (apart.length === MOST_RUNS) emit();
        runs = [...(runs.length === 0 ? [] : apart), join(runs, next)];
        if (turn !== undefined) return;
        const scheduled = scheduler.schedule(endTurn);
        if (runs.length === 0) return; // A scheduler that does not wait has ended it already.
        turn = scheduled;
        subscriber.add(turn);
      };
      // Behind an operator it sees a watcher, and stops even amid a burst.
      return source.pipe(takeWhile(() => !subscriber.closed)).subscribe({
        next(notification) {
          if (notification.type !== 'snapshot') wait(notification);
          else {
            emit();
            subscriber.next(notification);
          }
        },
        error(error) {
          emit();
          subscriber.error(error);
        },
        complete() {
          emit();
          subscriber.complete();
        },
      });
    });
}

function touches(a: PageRange, b: PageRange): boolean {
  return a.start <= b.end && b.start <= a.end;
}

/** What `next` and the runs that it touches come to. */
function join(runs: readonly Run[], { start, end, position, kept = [] }: Told): Run {
  const joined = runs.filter((run) => touches(run, { start, end }));
  const stayed = joined.flatMap((run) => subtract(run.kept, [{ start, end }]));
  return {
    start: Math.min(start, ...joined.map((run) => run.start)),
    end: Math.max(end, ...joined.map((run) => run.end)),
    position,
    kept: normalize([...stayed, ...kept]),
  };
}

function merged({ type, reason }: Told, { start, end, position, kept }: Run): Notification {
  return kept.length === 0
    ? { type, start, end, position, reason, waitUntil }
    : { type, start, end, position, reason, kept, waitUntil };
}

function waitUntil(): never {
  const why = 'this was told in an earlier turn; take part in an observer attached directly';
  throw new MemfileError('EINVAL', 'waitUntil', why);
}
