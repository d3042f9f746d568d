import type { NotifierFunction } from '../../../core/index.js';
import { exhibit } from '../exhibit.js';

type Call = (told: NotifierFunction) => NotifierFunction;

export default exhibit<Call, Record<'punch' | 'reuse', () => unknown>>({
  law: 4,
  says: 'a frame is used again while a consumer still works with it',
  source:
    'spdk/spdk: no grace and no quiesce in lib/env_dpdk/memory.c; PATCH v4 03/12: void callbacks',
  history: [
    'Callbacks answer nothing, so nobody can say that the work goes on after the call.',
    'A consumer that finishes later finds its frames in other hands.',
    'Here a promise that a callback returns keeps the pages until it settles.',
  ],
  faulty:
    (told) =>
    (...args) =>
      void told(...args),
  ours: (told) => told,
  setUp: async (stage, call) => {
    const file = stage.file('ram', 1);
    const other = stage.file('other', 1);
    await file.fallocate(0, 1);
    const frameOf = (id: number): number => stage.state.files.get(id)!.frames.get(0);
    const frame = frameOf(file.id);
    const flush: NotifierFunction = async () => {
      await stage.gate('the device flushes');
      if (frameOf(other.id) === frame) stage.breaks(4, 'a device writes to a page of another file');
    };
    await file.register({ invalidate: call(flush) });
    return { punch: () => file.punchHole(0, 1), reuse: () => other.fallocate(0, 1) };
  },
  threads: {
    owner: { 'punch [0, 1)': ({ punch }) => punch() },
    other: { 'fallocate in another file': ({ reuse }) => reuse() },
  },
});
