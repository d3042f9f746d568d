import { PAGE_SIZE, type MemoryFile, type NotifierFunction } from '../../../core/index.js';
import { exhibit } from '../exhibit.js';

type Offsets = (told: NotifierFunction) => NotifierFunction;

export default exhibit<Offsets, { readonly file: MemoryFile }>({
  law: 7,
  says: 'a consumer is told of pages that are none of its range',
  source: 'PATCH v9, memfd_restricted; found by Michael Roth, fixed in v10',
  history: [
    'The offset and length of fallocate were handed on as they came, in bytes.',
    'Consumers take page numbers: what was zapped lay 4,096 times too far out.',
    'Here numbers are pages everywhere; bytes appear at the edges, in names that say so.',
  ],
  faulty: (told) => (start, end, event) => told(start * PAGE_SIZE, end * PAGE_SIZE, event),
  ours: (told) => told,
  setUp: async (stage, offsets) => {
    const file = stage.file('ram', 4);
    await file.fallocate(0, 4);
    const range = { start: 0, end: 4 };
    const witness = stage.model.consumer('kvm', file);
    const told = offsets((start, end, event) => witness.told(event, start, end));
    witness.registered(await file.register({ invalidate: told, invalidateEnd: told }, { range }));
    return { file };
  },
  threads: { owner: { 'punch [1, 2)': ({ file }) => file.punchHole(1, 2) } },
});
