import { litmus } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'a frame is used again that a consumer held when it was evicted',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    const stuck = await stage.listen(file, 'stuck', {
      on: { invalidate: () => new Promise(() => {}) },
    });
    const world = { stage, file, stuck, held: false };
    stage.checks.push(() => (world.held ||= stuck.registration.sections > 0));
    return world;
  },
  threads: {
    owner: {
      'punch [0, 1)': ({ file }) => file.punchHole(0, 1),
      'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1),
    },
    admin: { 'evict the consumer': ({ stuck }) => stuck.evict() },
  },
  seen: ({ stage, held }) => {
    const frames = stage.journal.events.flatMap((event) =>
      event.type === 'fallocate' ? [event.pfn] : [],
    );
    return held && new Set(frames).size < frames.length;
  },
});
