import { Invalidations, KvmVm } from '../../../adapters/kvm/index.js';
import { exhibit } from '../exhibit.js';
import { leavingOneByOne } from '../leaving-one-by-one.js';

/** What begins replaces the range of what is in progress. */
class LastOnly extends Invalidations {
  #range = { start: 0, end: 0 };

  override begin(start: number, end: number): void {
    this.#range = { start, end };
    super.begin(start, end);
  }

  override retry(snapshot: number, start: number, end: number): boolean {
    const overlaps = start < this.#range.end && this.#range.start < end;
    return (this.inProgress > 0 && overlaps) || this.snapshot() !== snapshot;
  }
}

class FaultyVm extends KvmVm {
  override readonly invalidations = new LastOnly();
}

export default exhibit({
  law: 4,
  says: 'a fault maps a page of the first of two ranges that are leaving',
  source: 'reported by Xu Yilun, in the changelog of v13 of the guest_memfd series',
  history: [
    'An invalidation could add several ranges, and each replaced the one before it.',
    'A fault of a page in any but the last was not told to retry.',
    'Here the range is the union of all.',
  ],
  faulty: FaultyVm,
  ours: KvmVm,
  ...leavingOneByOne,
});
