import type { MemoryFile } from '../../../core/index.js';
import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

type Add = (start: number) => void;
type Join = (stage: Stage, file: MemoryFile, add: Add) => Promise<void>;

export default exhibit<Join, { readonly file: MemoryFile; readonly join: () => unknown }>({
  law: 5,
  says: 'a page comes to a consumer twice',
  source: 'spdk/spdk issue 3910, open in 2026',
  history: [
    'The hotplug callback was registered first, and the memory that is there walked afterwards.',
    'What arrives in between comes twice: EBUSY ends the walk, and later translations fail.',
    'Here the snapshot and the place in the list are one step.',
  ],
  faulty: async (stage, file, add) => {
    await file.register({ fallocate: add });
    await stage.gate('the callback is registered');
    for (const { start } of file.populated()) add(start);
  },
  ours: async (_stage, file, add) => {
    const { snapshot } = await file.register({ fallocate: add });
    for (const { start } of snapshot) add(start);
  },
  setUp: (stage, join) => {
    const file = stage.file('ram', 2);
    const known = new Set<number>();
    const add = (start: number): void => {
      if (known.has(start)) stage.breaks(5, `page ${start} comes a second time: EBUSY`);
      known.add(start);
    };
    return { file, join: () => join(stage, file, add) };
  },
  threads: {
    owner: { 'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1) },
    consumer: { 'subscribe and walk': ({ join }) => join() },
  },
});
