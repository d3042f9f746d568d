import { litmus } from '../explore/index.js';

export default litmus({
  law: 3,
  says: 'every begin told is closed once: by an end that was told, or by a row that it left',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const slow = ['invalidate', 'invalidateEnd'] as const;
    const leaver = await stage.listen(file, 'leaver', { slow });
    return { stage, file, leaver };
  },
  threads: {
    one: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    two: { 'punch [1, 2)': ({ file }) => file.punchHole(1, 2) },
    leaver: { unregister: ({ leaver }) => leaver.leave() },
  },
  seen: ({ stage, leaver }) => {
    const told = (type: string): number =>
      leaver.heard.filter((what) => what.startsWith(`${type} `)).length;
    const left = stage.journal.events.filter(({ type }) => type === 'left').length;
    return told('invalidate') === told('invalidateEnd') + left;
  },
});
