import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  MemoryJournal,
  restoreState,
  saveState,
  type MemoryFile,
  type Registration,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { gate } from '../kernel/waiting.js';

const setUp = async () => {
  const journal = new MemoryJournal();
  const memfile = createMemfile({ plugins: [shmem()], journal });
  const file = memfile.createFile('shmem', { size: 4, name: 'guest' });
  await file.fallocate(0, 4);
  const frame = (page: number): number => memfile.state.files.get(file.id)!.frames.get(page);
  return { journal, memfile, file, frame };
};

const broken = (): never => {
  throw new Error('the unmap failed');
};

/** Four ways not to let go of page 1 while it is converted. */
const ways: Record<string, (file: MemoryFile) => Promise<Registration>> = {
  async 'evicted amid its work'(file) {
    const work = gate();
    const a = await file.register({ name: 'a', invalidate: () => work.opened });
    const converting = file.convert(1, 2, 'private');
    a.evict();
    await expect(converting).rejects.toMatchObject({ code: 'EIO', effect: 'none' });
    return a;
  },
  async 'throwing, then leaving'(file) {
    const a = await file.register({ name: 'a', invalidate: broken });
    await expect(file.convert(1, 2, 'private')).rejects.toMatchObject({ code: 'EIO' });
    a.unsubscribe();
    return a;
  },
  async 'leaving, then failing'(file) {
    const work = gate();
    const a = await file.register({ name: 'a', invalidate: () => work.opened.then(broken) });
    const converting = file.convert(1, 2, 'private');
    a.unsubscribe();
    work.open();
    await expect(converting).rejects.toMatchObject({ code: 'EIO', effect: 'none' });
    return a;
  },
  async 'throwing, and staying'(file) {
    const a = await file.register({ name: 'a', invalidate: broken });
    await expect(file.convert(1, 2, 'private')).rejects.toMatchObject({ code: 'EIO' });
    return a;
  },
};

describe('a consumer that failed to let go of a page that stays', () => {
  it.each(Object.keys(ways))('%s: its frame is nobody’s, side and all', async (way) => {
    const { memfile, file, frame } = await setUp();
    const bad = frame(1);
    const a = await ways[way]!(file);
    const refused = { consumer: 'a', page: 1, holders: [] };
    const told: string[] = [];
    const asked = { name: 'b', prepare: () => void told.push('b') };
    const b = await file.register(asked);
    const again = file.convert(0, 4, 'private');
    await expect(again).rejects.toMatchObject({ code: 'EBUSY', effect: 'none', refused });
    expect(told).toEqual([]);
    const plan = file.plan({ type: 'convert', start: 0, end: 4, to: 'private' });
    expect(plan).toMatchObject({ possible: false, refusals: [{ code: 'EBUSY', refused }] });
    await file.convert(2, 4, 'private').catch(() => {});
    a.unsubscribe();
    await file.punchHole(1, 2).catch(() => {});
    expect(memfile.state.quarantined).toMatchObject([{ start: 1, end: 2, pfn: bad }]);
    await b.unregister();
    await file.fallocate(1, 2);
    expect(frame(1)).not.toBe(bad);
    await file.convert(1, 2, 'private');
    const copy = restoreState(saveState(memfile.state));
    expect(copy.toJSON()).toEqual(memfile.state.toJSON());
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('of a poisoned page: the same', async () => {
    const { file, memfile } = await setUp();
    const a = await file.register({ name: 'a', invalidate: broken });
    await expect(file.poison(1)).rejects.toMatchObject({ code: 'EIO' });
    await a.unregister();
    const refused = { consumer: 'a', page: 1 };
    await expect(file.convert(0, 2, 'private')).rejects.toMatchObject({ code: 'EBUSY', refused });
    await file.punchHole(0, 2);
    expect(memfile.state.quarantined).toHaveLength(1);
    await file.convert(0, 2, 'private');
  });

  it('in a life that ended amid the conversion', async () => {
    const { file, journal } = await setUp();
    const a = await file.register({ name: 'a', invalidate: broken });
    await file.register({ name: 'slow', invalidate: () => gate().opened });
    void file.convert(1, 2, 'private').catch(() => {});
    a.unsubscribe();
    const copy = new MemoryJournal();
    for (const { position: _, ...event } of journal.read(1)) copy.append(event);
    const next = createMemfile({ plugins: [shmem()], journal: copy });
    const [same] = next.files;
    const refused = { consumer: 'a', page: 1 };
    await expect(same!.convert(0, 2, 'private')).rejects.toMatchObject({ code: 'EBUSY', refused });
    await same!.punchHole(0, 4);
    expect(next.state.quarantined).toMatchObject([{ start: 1, end: 2 }]);
  });
});
