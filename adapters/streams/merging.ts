import type { Notification, PageRange, Snapshot } from '../../core/index.js';
import { subtract } from '../../core/page-range.js';
import { RangeSet } from './range-set.js';

/**
 * What several notifications come to. Let go of the pages in `left`, expect those in `leaving` to
 * go, and take those in `populated`: the page map is then what it would be after each of them.
 */
export interface Merged {
  readonly type: 'merged';
  /** Pages that left at least once, those that came back since included. */
  readonly left: readonly PageRange[];
  /** Pages announced as leaving whose end is not told yet; they are still there. */
  readonly leaving: readonly PageRange[];
  /** Of the pages that came, left or stayed: those that are there now. */
  readonly populated: readonly PageRange[];
  /** Of the last of them. */
  readonly position: number;
  /** How many there were. */
  readonly notifications: number;
}

/**
 * Notifications on their way to becoming one {@link Merged}, or a {@link Snapshot} when there is
 * one among them. Its size depends on how finely the pages are split up, never on how many
 * notifications went in.
 */
export class Merging {
  #snapshot = false;
  #left = new RangeSet();
  #leaving = new RangeSet();
  #populated = new RangeSet();
  #position = 0;
  #notifications = 0;

  /** `prepare` and `rollback` leave the page map alone: they are counted and have no effect. */
  absorb(notification: Notification): void {
    this.#notifications++;
    this.#position = notification.position;
    if (notification.type === 'snapshot') {
      this.#snapshot = true;
      this.#left = new RangeSet();
      this.#leaving = new RangeSet();
      this.#populated = new RangeSet(notification.ranges);
      return;
    }
    const { type, start, end, kept = [] } = notification;
    if (type === 'fallocate') this.#populated.add(start, end);
    if (type === 'invalidate') this.#leaving.add(start, end);
    if (type !== 'invalidateEnd') return;
    this.#leaving.delete(start, end);
    this.#populated.delete(start, end);
    for (const stayed of kept) this.#populated.add(stayed.start, stayed.end);
    for (const gone of subtract([{ start, end }], kept)) this.#left.add(gone.start, gone.end);
  }

  item(): Merged | Snapshot {
    const position = this.#position;
    const populated = this.#populated.ranges();
    if (this.#snapshot) return { type: 'snapshot', ranges: populated, position };
    return {
      type: 'merged',
      left: this.#left.ranges(),
      leaving: this.#leaving.ranges(),
      populated,
      position,
      notifications: this.#notifications,
    };
  }
}
