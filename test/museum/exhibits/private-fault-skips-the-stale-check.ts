import { Invalidations, KvmVm, newFault } from '../../../adapters/kvm/index.js';
import { judgeMappings, ledgerFile, stepFault } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

class Unchecked extends Invalidations {
  override retry(): boolean {
    return false;
  }
}

class FaultyVm extends KvmVm {
  override readonly invalidations = new Unchecked();
}

export default exhibit({
  law: 4,
  says: 'a private fault maps a page that was punched since it looked it up',
  source: 'PATCH v4 and v5; Sean Christopherson in the reviews of v5 and v6',
  history: [
    'A private fault mapped what it had looked up and skipped is_page_fault_stale altogether.',
    'Only the page lock kept a punch out; without it, a freed frame was mapped.',
    'Here the sequence is checked in the very step that maps, whatever kind of fault it is.',
  ],
  faulty: FaultyVm,
  ours: KvmVm,
  setUp: async (stage, Vm) => {
    const { store, file } = ledgerFile(stage, 1);
    await file.fallocate(0, 1);
    const vm = new Vm({ scheduler: stage });
    const pieces = [{ gfn: 10, pages: 1, file, offset: 0 }];
    await vm.setMemslot({ slot: 0, gfn: 10, pages: 1, pieces });
    judgeMappings(stage, store, () => vm.stage2.mappings());
    return { vm, file, fault: newFault(10) };
  },
  threads: {
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
  },
});
