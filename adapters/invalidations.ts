/**
 * How a consumer that maps on its own time keeps out of the way of invalidations: `mmu_invalidate_seq`, `mmu_invalidate_in_progress` and the one range
 * of KVM (virt/kvm/kvm_main.c).
 *
 * Whoever maps takes a snapshot first, looks up what it wants to map, and asks `retry` in the very
 * step in which it maps. The range is the union of everything that began since the last time that
 * nothing was in progress, and never shrinks before: false alarms happen, misses do not.
 * Pages, half-open.
 */
export class Invalidations {
  #sequence = 0;
  #inProgress = 0;
  #start = 0;
  #end = 0;
  #waiting: Array<() => void> = [];

  /** How many have begun and not ended. */
  get inProgress(): number {
    return this.#inProgress;
  }

  /** The sequence number: it rises by one with every end. */
  snapshot(): number {
    return this.#sequence;
  }

  begin(start: number, end: number): void {
    const first = this.#inProgress++ === 0;
    this.#start = first ? start : Math.min(this.#start, start);
    this.#end = first ? end : Math.max(this.#end, end);
  }

  end(): void {
    if (this.#inProgress === 0) throw new RangeError('an invalidation ends that never began');
    this.#sequence++;
    this.#inProgress--;
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** Whether what was looked up since `snapshot` may be stale for a page of `[start, end)`. */
  retry(snapshot: number, start: number, end: number): boolean {
    const pending = this.#inProgress > 0 && start < this.#end && this.#start < end;
    return pending || this.#sequence !== snapshot;
  }

  /** Resolves as soon as an invalidation has ended since `snapshot`, at once if none is open. */
  moved(snapshot: number): Promise<void> {
    if (this.#sequence !== snapshot || this.#inProgress === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
