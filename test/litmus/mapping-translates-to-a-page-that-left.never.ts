import { VmmMapping } from '../../adapters/vmm-mapping/index.js';
import { judgeMappings, ledgerFile, litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a mapping of a process translates to a frame that was freed',
  setUp: async (stage) => {
    const { store, file } = ledgerFile(stage, 2);
    await file.fallocate(0, 2);
    await stage.listen(file, 'slow', { slow: ['invalidate', 'fallocate'] });
    const range = { start: 0, end: 2 };
    const mapping = await VmmMapping.create(file, { range, witness: stage.model });
    judgeMappings(stage, store, () => {
      const pfn = mapping.translation(0);
      return pfn < 0 ? [] : [{ start: 0, end: 1, pfn }];
    });
    return { file, mapping };
  },
  threads: {
    process: {
      'touch page 0': ({ mapping }) => mapping.touch(0, 1),
      'and again': ({ mapping }) => mapping.touch(0, 1),
    },
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
  },
  seen: ({ file, mapping }) => mapping.translation(0) >= 0 && file.populated(0, 1).length === 0,
});
