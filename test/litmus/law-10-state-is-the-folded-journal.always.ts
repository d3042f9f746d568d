import { litmus } from '../explore/index.js';

export default litmus({
  law: 10,
  says: 'after every turn, the state is what the journal folds to',
  setUp: async (stage) => {
    const file = stage.file('ram', 3);
    await file.fallocate(0, 3);
    const slow = ['invalidate', 'invalidateEnd'] as const;
    const consumer = await stage.listen(file, 'consumer', { slow });
    stage.checks.push(() => stage.checkReplay());
    return { file, consumer };
  },
  threads: {
    one: { 'punch [0, 2)': ({ file }) => file.punchHole(0, 2) },
    two: { 'truncate to 1': ({ file }) => file.truncate(1) },
    consumer: {
      'look page 1 up': ({ consumer }) => consumer.lookup(1),
      put: ({ consumer }) => consumer.put(),
      unregister: ({ consumer }) => consumer.leave(),
    },
  },
  seen: ({ file }) => file.pages === 1,
});
