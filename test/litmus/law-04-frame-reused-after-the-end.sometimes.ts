import { litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a frame is used again, by another file, once everybody has let go of it',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    const other = stage.file('other', 1);
    await file.fallocate(0, 1);
    await stage.listen(file, 'holder', { slow: ['invalidate'] });
    const frame = stage.state.files.get(file.id)!.frames.get(0);
    return { stage, file, other, frame };
  },
  threads: {
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    other: { 'fallocate in another file': ({ other }) => other.fallocate(0, 1) },
  },
  seen: ({ stage, other, frame }) => stage.state.files.get(other.id)!.frames.get(0) === frame,
});
