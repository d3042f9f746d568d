import type { MemoryFile, PageRange } from '../../../core/index.js';
import { exhibit } from '../exhibit.js';

type Own = (start: number, end: number) => PageRange;

export default exhibit<Own, { readonly file: MemoryFile }>({
  law: 7,
  says: 'a consumer is told of the page behind its range',
  source: 'restrictedmem, review of v11: fix-ups around XArray ranges',
  history: [
    'Ranges end before their last number everywhere but in the XArray, which includes it.',
    'Every caller needed a fix-up; where it was missing, the page behind was told as well.',
    'Here every range is half-open, and there is no other kind.',
  ],
  faulty: (start, end) => ({ start, end: end + 1 }),
  ours: (start, end) => ({ start, end }),
  setUp: async (stage, own) => {
    const file = stage.file('ram', 4);
    const witness = stage.model.consumer('kvm', file);
    const { position, snapshot } = await file.register(
      {
        invalidate: (start, end, event) => witness.told(event, start, end),
        invalidateEnd: (start, end, event) => witness.told(event, start, end),
      },
      { range: own(0, 2) },
    );
    witness.registered({ position, snapshot, range: { start: 0, end: 2 } });
    return { file };
  },
  threads: { owner: { 'punch [1, 4)': ({ file }) => file.punchHole(1, 4) } },
});
