import { litmus } from '../explore/index.js';

export default litmus({
  law: 4,
  says: 'a frame is used again although a consumer failed to let go of it',
  setUp: async (stage) => {
    const file = stage.file('ram', 1);
    const other = stage.file('other', 1);
    await file.fallocate(0, 1);
    await stage.listen(file, 'fails', {
      on: { invalidate: () => stage.gate('fails').then(() => Promise.reject(new Error('stuck'))) },
    });
    const frame = stage.state.files.get(file.id)!.frames.get(0);
    return { stage, file, other, frame };
  },
  threads: {
    owner: {
      'punch [0, 1)': ({ file }) => file.punchHole(0, 1),
      'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1),
    },
    other: { 'fallocate in another file': ({ other }) => other.fallocate(0, 1) },
  },
  seen: ({ stage, other, frame }) => {
    const { files } = stage.state;
    const again = stage.journal.events.filter(
      (event) => event.type === 'fallocate' && event.pfn === frame,
    );
    return files.get(other.id)!.frames.get(0) === frame || again.length > 1;
  },
});
