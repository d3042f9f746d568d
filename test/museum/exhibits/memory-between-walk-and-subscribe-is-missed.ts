import type { MemoryFile } from '../../../core/index.js';
import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';
import { PageSet } from '../../model/page-set.js';

type Join = (stage: Stage, file: MemoryFile, known: PageSet) => Promise<void>;

export default exhibit<Join, { readonly file: MemoryFile; readonly join: () => unknown }>({
  law: 5,
  says: 'a page is there, and a consumer that has joined does not know of it',
  source: 'cloud-hypervisor issue 942: VFIO misses memory that was plugged',
  history: [
    'A device was given the memory that was there, and told of more only from a later moment on.',
    'Memory that was plugged in between was never mapped for it.',
    'Here the snapshot and the place in the list are one step.',
  ],
  faulty: async (stage, file, known) => {
    for (const { start, end } of file.populated()) known.add(start, end);
    await stage.gate('the walk is over');
    await file.register({ fallocate: (start, end) => void known.add(start, end) });
  },
  ours: async (_stage, file, known) => {
    const { snapshot } = await file.register({
      fallocate: (start, end) => void known.add(start, end),
    });
    for (const { start, end } of snapshot) known.add(start, end);
  },
  setUp: (stage, join) => {
    const file = stage.file('ram', 2);
    const known = new PageSet();
    let joined = false;
    stage.checks.push(() => {
      if (!joined || file.populated().length <= known.within(0, 2).length) return;
      stage.breaks(5, 'a page is there that the consumer does not know of');
    });
    return { file, join: () => join(stage, file, known).then(() => (joined = true)) };
  },
  threads: {
    owner: { 'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1) },
    consumer: { 'walk and subscribe': ({ join }) => join() },
  },
});
