import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  defineEvents,
  EventHistory,
  MemoryJournal,
  type MemoryFile,
} from '../../core/index.js';
import { EVOLVE_VERSION } from '../../core/evolve.js';
import { shmem } from '../../plugins/shmem/index.js';
import { overriding } from '../kit/overriding.js';
import { overridingFile } from '../kit/stores/overriding-file.js';

describe('checkpoints that are saved on the way', () => {
  it('answer for their very position, and for those around it', async () => {
    const journal = new MemoryJournal();
    const memfile = createMemfile({ plugins: [shmem()], journal });
    const file = memfile.createFile('shmem', { size: 64 });
    const states = new Map<number, string>();
    const note = (): void => {
      states.set(memfile.state.position, JSON.stringify(memfile.state.toJSON()));
    };
    await file.register({ invalidate: note, invalidateEnd: note, fallocate: note });
    const saved = (): number => journal.checkpoint(journal.position, EVOLVE_VERSION)?.position ?? 0;
    for (let i = 0; saved() === 0; i++) {
      await file.fallocate(i % 64, (i % 64) + 1);
      await file.punchHole(i % 61, (i % 61) + 1);
    }
    const at = saved();
    for (let i = 0; i < 5; i++) await file.punchHole(i, i + 1);
    const near = [...states.keys()].filter((position) => Math.abs(position - at) <= 3);
    expect(near).toEqual(expect.arrayContaining([at - 1, at, at + 1]));
    for (const position of near) {
      const replayed = memfile.replay({ to: position });
      expect(JSON.stringify(replayed.toJSON())).toBe(states.get(position));
    }
  });

  it.each([0, 1])('and cannot be saved: what was recorded took place (%i)', async (before) => {
    const pages = shmem();
    const undone: number[] = [];
    const watched = overriding(pages, {
      createFile(spec) {
        const store = pages.createFile(spec);
        return overridingFile(store, {
          free(start, end, why) {
            if (why === 'undo') undone.push(start);
            return store.free(start, end, why);
          },
        });
      },
    });
    const memfile = createMemfile({ plugins: [watched] });
    memfile.declare(UNSAVABLE).record({ type: 'on' });
    const file = memfile.createFile('shmem', { size: 4 });
    const told = { invalidate: 0, invalidateEnd: 0 };
    const invalidate = (): void => void told.invalidate++;
    const invalidateEnd = (): void => void told.invalidateEnd++;
    await file.register({ invalidate, invalidateEnd });
    for (let i = 0; i < before; i++) await file.fallocate(2, 3);
    const failed = await untilRejected(file);
    expect(failed).toMatchObject({ code: 'EIO', effect: 'done' });
    expect(told.invalidateEnd).toBe(told.invalidate);
    expect(undone).toEqual([]);
    const there = file.populated();
    await expect(file.fallocate(0, 4)).rejects.toMatchObject({ code: 'EIO', effect: 'none' });
    expect(file.populated()).toEqual(there);
  });
});

/** Its state is no plain data. */
const UNSAVABLE = defineEvents({
  name: 'unsavable',
  history: EventHistory.first<{ readonly type: 'on' }>(),
  initial: {},
  evolve: (): object => ({ lit: 1n }),
});

async function untilRejected(file: MemoryFile): Promise<unknown> {
  for (;;) {
    try {
      await file.fallocate(0, 1);
      await file.punchHole(0, 1);
    } catch (error) {
      return error;
    }
  }
}
