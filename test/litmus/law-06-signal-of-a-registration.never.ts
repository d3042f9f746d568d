import { litmus } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'a consumer is told anything after the signal given to its registration has fired',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    const abort = new AbortController();
    const options = { signal: abort.signal, slow: ['fallocate'] } as const;
    const consumer = await stage.listen(file, 'consumer', options);
    return { file, abort, consumer, heard: Infinity };
  },
  threads: {
    owner: {
      'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1),
      'punch [0, 1)': ({ file }) => file.punchHole(0, 1),
    },
    admin: {
      abort: (world) => {
        world.abort.abort();
        world.heard = world.consumer.heard.length;
      },
    },
  },
  seen: ({ consumer, heard }) => consumer.heard.length > heard,
});
