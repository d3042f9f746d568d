import { KvmVm, newFault } from '../../adapters/kvm/index.js';
import { ledgerFile, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'a slot is deleted and done with while a fault that found it is inside its section',
  setUp: async (stage) => {
    const { file } = ledgerFile(stage, 1);
    await file.fallocate(0, 1);
    const vm = new KvmVm({ scheduler: stage, witness: stage.model });
    const pieces = [{ gfn: 10, pages: 1, file, offset: 0 }];
    await vm.setMemslot({ slot: 0, gfn: 10, pages: 1, pieces });
    return { vm, fault: newFault(10), early: false };
  },
  threads: {
    guest: { 'fault at guest page 10': ({ vm, fault }) => stepFault(vm, fault) },
    vmm: {
      'delete the slot': async (world) => {
        const { vm, fault } = world;
        await vm.setMemslot({ slot: 0, gfn: 0, pages: 0 });
        world.early = fault.section !== undefined && fault.slot?.slot === 0;
      },
    },
  },
  seen: ({ early }) => early,
});
