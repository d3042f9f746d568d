/**
 * How a consumer that maps on its own time keeps out of the way of invalidations: the sequence
 * number and the one union range of KVM's `mmu_invalidate_*` (virt/kvm/kvm_main.c).
 *
 * Take a snapshot, look the page up, and ask `retry` in the same step in which you map. The range
 * never shrinks while any invalidation is in progress: false alarms happen, misses do not.
 */
export class InvalidationSequence {
  #sequence = 0;
  #inProgress = 0;
  #start = 0;
  #end = 0;

  snapshot(): number {
    return this.#sequence;
  }

  begin(start: number, end: number): void {
    const first = this.#inProgress++ === 0;
    this.#start = first ? start : Math.min(this.#start, start);
    this.#end = first ? end : Math.max(this.#end, end);
  }

  end(): void {
    this.#sequence++;
    this.#inProgress--;
  }

  /** Whether what was looked up since `snapshot` may be stale for `page`. */
  retry(snapshot: number, page: number): boolean {
    const pending = this.#inProgress > 0 && page >= this.#start && page < this.#end;
    return pending || this.#sequence !== snapshot;
  }
}
