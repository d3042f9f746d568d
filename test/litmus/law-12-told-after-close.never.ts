import { litmus } from '../explore/index.js';

export default litmus({
  law: 12,
  says: 'a closed file still has pages, consumers, or operations that do anything',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const consumer = await stage.listen(file, 'consumer', { slow: ['invalidate', 'fallocate'] });
    return { file, consumer, heard: Infinity };
  },
  threads: {
    one: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    two: { 'fallocate [0, 2)': ({ file }) => file.fallocate(0, 2) },
    closer: {
      close: async (world) => {
        await world.file.close();
        world.heard = world.consumer.heard.length;
      },
    },
  },
  seen: ({ file, consumer, heard }) =>
    consumer.heard.length > heard || file.registrations > 0 || file.populated().length > 0,
});
