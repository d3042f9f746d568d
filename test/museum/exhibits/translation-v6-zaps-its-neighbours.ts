import { exhibit } from '../exhibit.js';
import { intersection, shadowed } from '../shadow.js';
import { v6 } from '../translations.js';

export default exhibit({
  law: 7,
  says: 'an event below the slot zaps guest pages of others',
  source: 'PATCH v6 8/8; found by Michael Roth in its review, 20220623220751',
  history: [
    'The first guest page was added now, and the event clamped to the slot at its end only.',
    'An event below the slot wrapped around zero: the slot and guest pages before it were zapped.',
    'Here both ends are clamped, and a consumer is only told of its own range.',
  ],
  faulty: { translate: v6, range: undefined },
  ours: intersection,
  setUp: shadowed,
  threads: {
    guest: { 'touch guest page 102': ({ shadow }) => shadow.touch(102) },
    owner: { 'punch [5, 12)': ({ file }) => file.punchHole(5, 12) },
  },
});
