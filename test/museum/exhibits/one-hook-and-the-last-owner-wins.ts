import type { Stage } from '../../explore/index.js';
import { exhibit } from '../exhibit.js';

type Told = (who: string) => void;
type Hooks = (
  stage: Stage,
  told: Told,
) => Promise<{ readonly join: (who: string) => unknown; readonly leave: () => unknown }>;

export default exhibit<Hooks, { readonly join: (who: string) => unknown; missed: () => unknown }>({
  law: 5,
  says: 'a consumer that has registered is not told',
  source: 'ofiwg/libfabric pull request 6474: two owners of one hook, data corruption',
  history: [
    'There was one hook for memory that goes away, and two libraries installed theirs.',
    'The one that came last replaced the other, whose cache was stale from then on.',
    'Here there is a list, and everybody in it is told.',
  ],
  faulty: async (_stage, told) => {
    let hook: (() => void) | undefined;
    return {
      join: (who) => {
        hook = () => told(who);
      },
      leave: () => hook?.(),
    };
  },
  ours: async (stage, told) => {
    const file = stage.file('ram', 1);
    await file.fallocate(0, 1);
    return {
      join: (name) => file.register({ name, invalidate: () => told(name) }),
      leave: () => file.punchHole(0, 1),
    };
  },
  setUp: async (stage, hooks) => {
    const told = new Set<string>();
    const joined = new Set<string>();
    const { join, leave } = await hooks(stage, (who) => void told.add(who));
    return {
      join: async (who) => {
        await join(who);
        joined.add(who);
      },
      missed: async () => {
        const expected = [...joined];
        await leave();
        for (const who of expected) if (!told.has(who)) stage.breaks(5, `${who} is not told`);
      },
    };
  },
  threads: {
    ucx: { register: ({ join }) => join('ucx') },
    libfabric: { register: ({ join }) => join('libfabric') },
    owner: { 'punch [0, 1)': ({ missed }) => missed() },
  },
});
