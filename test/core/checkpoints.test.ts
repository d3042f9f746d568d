import { describe, expect, it } from 'vitest';
import { createMemfile, MemoryJournal } from '../../core/index.js';
import { EVOLVE_VERSION } from '../../core/evolve.js';
import { shmem } from '../../plugins/shmem/index.js';

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
});
