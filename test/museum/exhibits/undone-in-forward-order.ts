import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

interface Consumer {
  readonly name: string;
  agree(): void;
  undo(): void;
}

type Populate = (stage: Stage, consumers: readonly Consumer[]) => Promise<() => Promise<unknown>>;

export default exhibit<Populate, { readonly populate: () => Promise<unknown> }>({
  law: 8,
  says: 'what was done last is not undone first',
  source: 'QEMU system/ram-discard-manager.c: undo of a populate that failed',
  history: [
    'Listeners that had been told of new memory are told that it goes, first to last.',
    'A listener that builds on an earlier one finds that one gone already.',
    'Here undoing goes in reverse.',
  ],
  faulty: async (_stage, consumers) => async () => {
    const agreed: Consumer[] = [];
    for (const consumer of consumers) {
      try {
        consumer.agree();
        agreed.push(consumer);
      } catch {
        for (const done of agreed) done.undo();
      }
    }
  },
  ours: async (stage, consumers) => {
    const file = stage.file('ram', 1);
    for (const { name, agree, undo } of consumers) {
      await file.register({ name, prepare: agree, rollback: undo });
    }
    return () => file.fallocate(0, 1).catch(() => {});
  },
  setUp: async (stage, populate) => {
    const stack: string[] = [];
    const consumer = (name: string, fails = false): Consumer => ({
      name,
      agree: () => {
        if (fails) throw new Error('no');
        stack.push(name);
      },
      undo: () => {
        const last = stack.pop();
        if (last !== name) stage.breaks(8, `${name} undoes before ${last} has`);
      },
    });
    const consumers = [consumer('iommu'), consumer('device'), consumer('full', true)];
    return { populate: await populate(stage, consumers) };
  },
  threads: { owner: { populate: ({ populate }) => populate() } },
});
