import { SrcuDomain } from '../../../core/index.js';
import { exhibit } from '../exhibit.js';

type Domains = () => { readonly a: SrcuDomain; readonly b: SrcuDomain };

export default exhibit<Domains, Record<'enter' | 'leave' | 'unregister', () => unknown>>({
  law: 6,
  says: 'unregister from one file waits for a callback on another',
  source: 'PATCH v4 03/12: DEFINE_STATIC_SRCU(srcu), one for all files; the same up to v7',
  history: [
    'One static SRCU domain served every file of the machine.',
    'A slow callback on one file held up who unregistered from any other.',
    'Here every file has a domain of its own, and a registration waits for its own sections only.',
  ],
  faulty: () => {
    const srcu = new SrcuDomain('srcu');
    return { a: srcu, b: srcu };
  },
  ours: () => ({ a: new SrcuDomain('file a'), b: new SrcuDomain('file b') }),
  setUp: (stage, domains) => {
    const { a, b } = domains();
    let waiting = false;
    let index: 0 | 1;
    stage.checks.push(() => {
      if (waiting) stage.breaks(6, 'nobody reads file a, and unregister from it is not over');
    });
    return {
      enter: () => {
        index = b.readLock();
      },
      leave: () => b.readUnlock(index),
      unregister: async () => {
        waiting = true;
        await a.synchronize();
        waiting = false;
      },
    };
  },
  threads: {
    'a callback on file b': {
      'begins to work': ({ enter }) => enter(),
      'is done': ({ leave }) => leave(),
    },
    'a consumer of file a': { unregister: ({ unregister }) => unregister() },
  },
});
