import { litmus } from '../explore/index.js';

export default litmus({
  law: 10,
  says: 'whoever is told of an event finds it in the journal, and in the state',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    const world = { file, told: 0, late: 0 };
    const check = (
      start: number,
      _end: number,
      event: { type: string; position: number },
    ): void => {
      world.told++;
      const recorded = stage.journal.events[event.position - 1];
      const open = stage.state.files.get(file.id)!.open.size;
      const there = file.populated(start, start + 1).length;
      const ok = event.type === 'fallocate' ? there === 1 : open === 1 && there === 1;
      if (recorded?.type !== event.type || !ok) world.late++;
    };
    await stage.listen(file, 'consumer', { on: { fallocate: check, invalidate: check } });
    return world;
  },
  threads: {
    owner: {
      'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1),
      'punch [0, 1)': ({ file }) => file.punchHole(0, 1),
    },
    other: { 'fallocate [1, 2)': ({ file }) => file.fallocate(1, 2) },
  },
  seen: ({ told, late }) => told === 3 && late === 0,
});
