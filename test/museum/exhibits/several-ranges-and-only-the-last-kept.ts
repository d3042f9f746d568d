import { Invalidations, KvmVm, newFault } from '../../../adapters/kvm/index.js';
import { judgeMappings, ledgerFile, stepFault } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

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
  setUp: async (stage, Vm) => {
    const { store, file } = ledgerFile(stage, 2);
    await file.fallocate(0, 2);
    await stage.listen(file, 'slow', { slow: ['invalidate'] });
    const vm = new Vm({ scheduler: stage });
    const pieces = [{ gfn: 10, pages: 2, file, offset: 0 }];
    await vm.setMemslot({ slot: 0, gfn: 10, pages: 2, pieces });
    judgeMappings(stage, store, () => vm.stage2.mappings());
    return { vm, file, fault: newFault(10) };
  },
  threads: {
    one: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    two: { 'punch [1, 2)': ({ file }) => file.punchHole(1, 2) },
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
  },
});
