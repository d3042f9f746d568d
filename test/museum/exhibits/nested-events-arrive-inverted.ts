import { Subject } from 'rxjs';
import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

type Hear = (event: string) => void;
type Channel = (stage: Stage, first: Hear, second: Hear) => Promise<() => unknown>;

export default exhibit<Channel, { readonly punch: () => unknown; readonly heard: string[][] }>({
  law: 1,
  says: 'two consumers are told the same two events in opposite orders',
  source: 'ReactiveX/rxjs issues 5174 and 6580; measured with rxjs 7.8.2',
  history: [
    'A handler emits while it handles: the nested event is delivered first.',
    'Who subscribed later is told of the second event before the first.',
    'Here what a callback starts waits until everybody has been told.',
  ],
  faulty: async (_stage, first, second) => {
    const events = new Subject<string>();
    events.subscribe((event) => {
      first(event);
      if (event === 'invalidate') events.next('fallocate');
    });
    events.subscribe(second);
    return () => events.next('invalidate');
  },
  ours: async (stage, first, second) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 1);
    const told = (hear: Hear) => ({
      invalidate: () => hear('invalidate'),
      fallocate: () => hear('fallocate'),
    });
    await file.register(told(second));
    await file.register({
      fallocate: () => first('fallocate'),
      invalidate: () => {
        first('invalidate');
        void file.fallocate(1, 2);
      },
    });
    return () => file.punchHole(0, 1);
  },
  setUp: async (stage, channel) => {
    const heard: string[][] = [[], []];
    const punch = await channel(
      stage,
      (event) => void heard[0]!.push(event),
      (event) => void heard[1]!.push(event),
    );
    return { punch, heard };
  },
  threads: { owner: { 'punch, and allocate in a callback': ({ punch }) => punch() } },
  seen: ({ heard }) => heard[0]!.join() !== heard[1]!.join(),
});
