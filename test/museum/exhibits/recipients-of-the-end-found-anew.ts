import type { MemoryFile } from '../../../core/index.js';
import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

interface Counted {
  begins: number;
  ends: number;
}

interface Bindings {
  bind(): Promise<unknown>;
  punch(): Promise<unknown>;
}

type Make = (stage: Stage, counted: Counted) => Promise<Bindings>;

export default exhibit<Make, Bindings & { readonly counted: Counted }>({
  law: 3,
  says: 'a consumer is told an end that never began',
  source: 'restrictedmem, review of v11: bindings that change amid an invalidation',
  history: [
    'begin and end each looked up who is bound to the range.',
    'Who was bound in between got an end without a begin, and its counter went below zero.',
    'Here whoever was told the begin is remembered, and told the end.',
  ],
  faulty: async (stage, counted) => {
    const bound: Counted[] = [];
    return {
      bind: async () => void bound.push(counted),
      punch: async () => {
        for (const consumer of bound) consumer.begins++;
        await stage.gate('the pages are dropped');
        for (const consumer of bound) consumer.ends++;
      },
    };
  },
  ours: async (stage, counted) => {
    const file: MemoryFile = stage.file('ram', 1);
    await stage.listen(file, 'slow', { slow: ['invalidate'] });
    return {
      bind: () =>
        file.register({
          invalidate: () => void counted.begins++,
          invalidateEnd: () => void counted.ends++,
        }),
      punch: () => file.punchHole(0, 1),
    };
  },
  setUp: async (stage, make) => {
    const counted: Counted = { begins: 0, ends: 0 };
    return { ...(await make(stage, counted)), counted };
  },
  threads: {
    owner: { 'punch [0, 1)': ({ punch }) => punch() },
    kvm: { bind: ({ bind }) => bind() },
  },
  seen: ({ counted }) => counted.ends > counted.begins,
});
