import { litmus } from '../explore/index.js';

export default litmus({
  law: 6,
  says: 'waiting for the own unregister inside a callback is EDEADLK, and nothing hangs',
  setUp: async (stage) => {
    const file = stage.file('ram', 2);
    await file.fallocate(0, 2);
    const world = { file, answers: [] as string[] };
    const leaver = await stage.listen(file, 'leaver', {
      on: {
        invalidate: (_start, _end, event) => {
          try {
            event.waitUntil(leaver.leave());
          } catch (error) {
            world.answers.push((error as { code: string }).code);
          }
        },
      },
    });
    return world;
  },
  threads: {
    owner: { 'punch [0, 1)': ({ file }) => file.punchHole(0, 1) },
    other: { 'fallocate [0, 1)': ({ file }) => file.fallocate(0, 1) },
  },
  seen: ({ answers }) => answers.join() === 'EDEADLK',
});
