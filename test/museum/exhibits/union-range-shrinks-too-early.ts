import { Invalidations, KvmVm } from '../../../adapters/kvm/index.js';
import { exhibit } from '../exhibit.js';
import { leavingOneByOne } from '../leaving-one-by-one.js';

/** The range is what began last, and nothing as soon as anything ends. */
class Shrinking extends Invalidations {
  #range = { start: 0, end: 0 };

  override begin(start: number, end: number): void {
    this.#range = { start, end };
    super.begin(start, end);
  }

  override end(): void {
    this.#range = { start: 0, end: 0 };
    super.end();
  }

  override retry(snapshot: number, start: number, end: number): boolean {
    const overlaps = start < this.#range.end && this.#range.start < end;
    return (this.inProgress > 0 && overlaps) || this.snapshot() !== snapshot;
  }
}

class FaultyVm extends KvmVm {
  override readonly invalidations = new Shrinking();
}

export default exhibit({
  law: 4,
  says: 'a fault maps a page that is leaving, because another invalidation has ended',
  source: 'the one range of mmu_invalidate_range_start/_end in virt/kvm/kvm_main.c',
  history: [
    'KVM keeps one range for all invalidations in progress, and may not shrink it before the last.',
    'Reset at the first end, it lets a fault map a page whose invalidation is still open.',
    'Here the range is the union of all that began since nothing was in progress.',
  ],
  faulty: FaultyVm,
  ours: KvmVm,
  ...leavingOneByOne,
});
