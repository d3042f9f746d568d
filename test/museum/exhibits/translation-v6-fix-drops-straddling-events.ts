import { gfnRange } from '../../../adapters/kvm/index.js';
import { exhibit } from '../exhibit.js';
import { Shadow, slot, type Translator } from '../shadow.js';
import { v6Fix } from '../translations.js';

export default exhibit<Translator, { readonly shadow: Shadow; readonly close: () => unknown }>({
  law: 4,
  says: 'an event that begins below the slot is dropped',
  source: 'the fix proposed in the review of PATCH v6 8/8',
  history: [
    'Events that begin or end below the slot were dropped before they were translated.',
    'One that begins below it and reaches into it was dropped as well, such as [0, all of it).',
    'Here what counts is the intersection, wherever the event begins.',
  ],
  faulty: { translate: v6Fix, range: undefined },
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
    return { shadow, close: () => file.truncate(0) };
  },
  threads: {
    guest: { 'touch guest page 101': ({ shadow }) => shadow.touch(101) },
    owner: { 'truncate to 0': ({ close }) => close() },
  },
});
