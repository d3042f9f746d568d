import type { Listener } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

type Leave = (consumer: Listener) => Promise<void> | void;

export default exhibit<Leave, { readonly punch: () => unknown; readonly leave: () => unknown }>({
  law: 6,
  says: 'a callback works on the table of a consumer that has left and freed it',
  source: 'ReactiveX/rxjs issues 6580 and 6976; measured with rxjs 7.8.2',
  history: [
    'unsubscribe() returns at once, while an asynchronous handler is still at work.',
    'Whoever frees what that handler uses afterwards frees it too early.',
    'Here unregister() resolves when every reader section of the consumer is over.',
  ],
  faulty: (consumer) => consumer.unsubscribe(),
  ours: (consumer) => consumer.leave(),
  setUp: async (stage, leave) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    let table: Set<number> | undefined = new Set();
    const consumer = await stage.listen(file, 'consumer', {
      on: {
        invalidate: async (start) => {
          await stage.gate('the consumer flushes');
          if (table === undefined) stage.breaks(6, 'the table is used after it was freed');
          table?.delete(start);
        },
      },
    });
    return {
      punch: () => file.punchHole(0, 1),
      leave: async () => {
        await leave(consumer);
        table = undefined;
      },
    };
  },
  threads: {
    owner: { 'punch [0, 1)': ({ punch }) => punch() },
    consumer: { 'leave, free the table': ({ leave }) => leave() },
  },
});
