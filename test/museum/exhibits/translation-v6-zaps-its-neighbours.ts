import { gfnRange } from '../../../adapters/kvm/index.js';
import { exhibit } from '../exhibit.js';
import { Shadow, slot, type Translator } from '../shadow.js';
import { v6 } from '../translations.js';

export default exhibit<Translator, { readonly shadow: Shadow; readonly punch: () => unknown }>({
  law: 7,
  says: 'an event below the slot zaps guest pages of others',
  source: 'PATCH v6 8/8; found by Michael Roth in its review, 20220623220751',
  history: [
    'The first guest page was added now, and the event clamped to the slot at its end only.',
    'An event below the slot wrapped around zero: the slot and guest pages before it were zapped.',
    'Here both ends are clamped, and a consumer is only told of its own range.',
  ],
  faulty: { translate: v6, range: undefined },
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
    return { shadow, punch: () => file.punchHole(5, 12) };
  },
  threads: {
    guest: { 'touch guest page 102': ({ shadow }) => shadow.touch(102) },
    owner: { 'punch [5, 12)': ({ punch }) => punch() },
  },
});
