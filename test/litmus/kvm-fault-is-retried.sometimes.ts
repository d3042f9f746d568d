import { guestOver, litmus, stepFault } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'an invalidation gets in the way of a fault between its lookup and its mapping',
  setUp: async (stage) => {
    const guest = await guestOver(stage, { slow: true });
    return { ...guest, retried: false, steps: [] as string[] };
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
