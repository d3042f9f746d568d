import { gfnRange } from '../../../adapters/kvm/index.js';
import { exhibit } from '../exhibit.js';
import { Shadow, slot, type Translator } from '../shadow.js';
import { v4 } from '../translations.js';

export default exhibit<Translator, { readonly shadow: Shadow; readonly punch: () => unknown }>({
  law: 4,
  says: 'an event of the slot translates to nothing',
  source: 'PATCH v4 and v5 11/13, KVM: Zap existing KVM mappings when pages changed',
  history: [
    'The page of an event was compared with guest pages before the first guest page was added.',
    'For any slot that does not begin at guest page 0, nearly every invalidation was lost.',
    'Here the intersection is taken in pages of the file, and moved to guest pages afterwards.',
  ],
  faulty: { translate: v4, range: undefined },
  ours: {
    translate: (slot, start, end) => {
      const range = gfnRange(slot, start, end);
      return range === undefined ? 'none' : [range.start, range.end];
    },
    range: ({ offset, pages }) => ({ start: offset, end: offset + pages }),
  },
  setUp: async (stage, translator) => {
    const file = stage.file('ram', 20);
    await file.fallocate(0, 20);
    const shadow = await Shadow.over(stage, file, slot, translator);
    return { shadow, punch: () => file.punchHole(12, 14) };
  },
  threads: {
    guest: { 'touch guest page 102': ({ shadow }) => shadow.touch(102) },
    owner: { 'punch [12, 14)': ({ punch }) => punch() },
  },
});
