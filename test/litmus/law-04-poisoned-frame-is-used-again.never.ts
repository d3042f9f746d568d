import { litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a frame that was reported to be broken is another page',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    const other = stage.file('other', 1);
    await file.fallocate(0, 1);
    await stage.listen(file, 'slow', { slow: ['invalidate'] });
    const frames = (id: number) => stage.state.files.get(id)!.frames;
    return { file, other, frame: frames(file.id).get(0), frames, poisoned: false };
  },
  threads: {
    host: {
      'poison page 0': async (world) => {
        await world.file.poison(0);
        world.poisoned = true;
      },
    },
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    other: { 'fallocate in another file': ({ other }) => other.fallocate(0, 1) },
  },
  seen: ({ other, frames, frame, poisoned }) => poisoned && frames(other.id).get(0) === frame,
});
