import { exhibit } from '../exhibit.js';
import { intersection, shadowed } from '../shadow.js';
import { v4 } from '../translations.js';

export default exhibit({
  law: 4,
  says: 'an event of the slot translates to nothing',
  source: 'PATCH v4 and v5 11/13, KVM: Zap existing KVM mappings when pages changed',
  history: [
    'The page of an event was compared with guest pages before the first guest page was added.',
    'For any slot that does not begin at guest page 0, nearly every invalidation was lost.',
    'Here the intersection is taken in pages of the file, and moved to guest pages afterwards.',
  ],
  faulty: { translate: v4, range: undefined },
  ours: intersection,
  setUp: shadowed,
  threads: {
    guest: { 'touch guest page 102': ({ shadow }) => shadow.touch(102) },
    owner: { 'punch [12, 14)': ({ file }) => file.punchHole(12, 14) },
  },
});
