import { litmus } from '../explore/index.js';

export default litmus({
  law: 3,
  says: 'a consumer that leaves in between is told a begin and no end; the journal says it left',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const leaver = await stage.listen(file, 'leaver', { slow: ['invalidate'] });
    return { stage, file, leaver };
  },
  threads: {
    owner: { 'punch [0, 2)': ({ file }) => file.punchHole(0, 2) },
    leaver: { unregister: ({ leaver }) => leaver.leave() },
  },
  seen: ({ stage, leaver }) =>
    leaver.heard.join() === 'invalidate [0, 2)' &&
    stage.journal.events.some(({ type }) => type === 'left'),
});
