import { PageSet } from '../model/page-set.js';
import { litmus } from '../explore/index.js';

export default litmus({
  law: 5,
  says: 'who follows a stream of a file knows of other pages than there are',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 1);
    await stage.listen(file, 'slow', { slow: ['invalidate', 'fallocate'] });
    return { file, known: new PageSet(), doubles: 0, following: false };
  },
  threads: {
    reader: {
      'subscribe to notifications$': (world) => {
        const { known } = world;
        world.file.notifications$().subscribe((event) => {
          world.following = true;
          switch (event.type) {
            case 'snapshot':
              for (const { start, end } of event.ranges) known.add(start, end);
              break;
            case 'fallocate':
              if (known.touches(event.start, event.end)) world.doubles++;
              known.add(event.start, event.end);
              break;
            case 'invalidateEnd':
              known.remove(event.start, event.end);
          }
        });
      },
    },
    one: { 'fallocate [1, 2)': ({ file }) => file.fallocate(1, 2) },
    two: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
  },
  seen: ({ file, known, doubles, following }) => {
    const there = file.populated().map(({ start, end }) => `${start} ${end}`);
    const told = known.within(0, 2).map(({ start, end }) => `${start} ${end}`);
    return !following || doubles > 0 || there.join() !== told.join();
  },
});
