import { KvmVm, newFault } from '../../adapters/kvm/index.js';
import { ledgerFile, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'an invalidation gets in the way of a fault between its lookup and its mapping',
  setUp: async (stage) => {
    const { file } = ledgerFile(stage, 2);
    await file.fallocate(0, 2);
    await stage.listen(file, 'slow', { slow: ['invalidate'] });
    const vm = new KvmVm({ scheduler: stage, witness: stage.model });
    await vm.setMemslot({
      slot: 0,
      gfn: 10,
      pages: 2,
      pieces: [{ gfn: 10, pages: 2, file, offset: 0 }],
    });
    return { file, vm, fault: newFault(10), retried: false, steps: [] as string[] };
  },
  threads: {
    guest: {
      'fault at guest page 10': (world) => {
        const reached = (step: string): void => {
          world.steps.push(step);
          world.retried ||= world.steps.slice(-2).join() === 'recheck,release';
        };
        return stepFault(world.vm, world.fault, reached);
      },
    },
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
  },
  seen: ({ retried }) => retried,
});
