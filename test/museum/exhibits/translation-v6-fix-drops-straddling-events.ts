import { exhibit } from '../exhibit.js';
import { intersection, shadowed } from '../shadow.js';
import { v6Fix } from '../translations.js';

export default exhibit({
  law: 4,
  says: 'an event that begins below the slot is dropped',
  source: 'the fix proposed in the review of PATCH v6 8/8',
  history: [
    'Events that begin or end below the slot were dropped before they were translated.',
    'One that begins below it and reaches into it was dropped as well, such as [0, all of it).',
    'Here what counts is the intersection, wherever the event begins.',
  ],
  faulty: { translate: v6Fix, range: undefined },
  ours: intersection,
  setUp: shadowed,
  threads: {
    guest: { 'touch guest page 101': ({ shadow }) => shadow.touch(101) },
    owner: { 'truncate to 0': ({ file }) => file.truncate(0) },
  },
});
