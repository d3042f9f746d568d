import { describe, expect, it } from 'vitest';
import { createMemfile, PAGE_SIZE, type NotifierEvent } from '../../core/index.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';

/** 4 KiB pages in a huge page of 2 MiB, and in one MiB. */
const HUGE = 512;
const MIB = 256;

const setUp = async (pool: number, size: number) => {
  const store = hugetlb({ pageSize: '2M', pool });
  const memfile = createMemfile({ plugins: [store] });
  const file = memfile.createFile('hugetlb', { size, name: 'ram' });
  const told: string[] = [];
  const note = (start: number, end: number, { type, kept }: NotifierEvent & { kept?: unknown }) =>
    void told.push(
      `${type} ${start} ${end}${kept === undefined ? '' : ` ${JSON.stringify(kept)}`}`,
    );
  const consumer = await file.register({
    name: 'vm',
    fallocate: note,
    invalidate: note,
    invalidateEnd: note,
  });
  return { store, memfile, file, consumer, told };
};

describe('row 50: hugetlb', () => {
  it('punch(4096, 4096) in a 2 MiB page zeroes those bytes, and the page stays', async () => {
    const { file, consumer, store, told } = await setUp(1, HUGE);
    await file.fallocate(0, HUGE);
    {
      using lease = consumer.lookup(0);
      lease.bytes().fill(0xaa);
    }
    await file.punchHole(1, 2);
    expect(file.populated()).toEqual([{ start: 0, end: HUGE }]);
    expect(store.poolCounters()).toEqual({ total: 1, free: 0, reserved: 0, surplus: 0 });
    using lease = consumer.lookup(0);
    const bytes = lease.bytes();
    expect(bytes.length).toBe(HUGE * PAGE_SIZE);
    const wrong = bytes.findIndex(
      (value, at) => value !== (at >= PAGE_SIZE && at < 2 * PAGE_SIZE ? 0 : 0xaa),
    );
    expect(wrong).toBe(-1);
    expect(told).toEqual([
      'fallocate 0 512',
      'invalidate 1 2',
      'invalidateEnd 1 2 [{"start":1,"end":2}]',
    ]);
  });

  it('ftruncate(3 MiB) is EINVAL, and so is a file of 3 MiB', async () => {
    const { file, memfile } = await setUp(4, 0);
    const before = memfile.journal.position;
    await expect(file.truncate(3 * MIB)).rejects.toMatchObject({ code: 'EINVAL', effect: 'none' });
    expect(() => memfile.createFile('hugetlb', { size: 3 * MIB })).toThrow('EINVAL');
    expect([file.pages, memfile.journal.position]).toEqual([0, before]);
    await file.truncate(4 * MIB);
    expect(file.pages).toBe(4 * MIB);
  });

  it('a pool of 1: fallocate(4 MiB) is ENOSPC, and the first page is kept', async () => {
    const { file, memfile, store, told } = await setUp(1, 2 * HUGE);
    const refused = file.fallocate(0, 2 * HUGE);
    await expect(refused).rejects.toMatchObject({ code: 'ENOSPC', effect: 'partial' });
    expect(file.populated()).toEqual([{ start: 0, end: HUGE }]);
    expect(told).toEqual(['fallocate 0 512']);
    expect(store.poolCounters()).toEqual({ total: 1, free: 0, reserved: 0, surplus: 0 });
    await expect(file.fallocate(HUGE, HUGE + 1)).rejects.toMatchObject({ effect: 'none' });
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('fallocate rounds out to huge pages, and skips those that are there', async () => {
    const { file, told } = await setUp(4, 4 * HUGE);
    await file.fallocate(HUGE, HUGE + 1);
    await file.fallocate(HUGE - 1, 3 * HUGE - 1);
    expect(told).toEqual(['fallocate 512 1024', 'fallocate 0 512', 'fallocate 1024 1536']);
  });

  it('a punch of whole pages and parts of two others rounds in', async () => {
    const { file, store, told } = await setUp(3, 3 * HUGE);
    await file.fallocate(0, 3 * HUGE);
    await file.punchHole(1, 3 * HUGE - 1);
    expect(file.populated()).toEqual([
      { start: 0, end: HUGE },
      { start: 2 * HUGE, end: 3 * HUGE },
    ]);
    expect(store.poolCounters()).toEqual({ total: 3, free: 1, reserved: 0, surplus: 0 });
    expect(told.slice(1)).toEqual([
      'invalidate 1 1535',
      'invalidateEnd 1 1535 [{"start":1,"end":512},{"start":1024,"end":1535}]',
    ]);
  });
});

describe('rows 15 to 19, of huge pages', () => {
  it('row 15: fallocate of the whole file', async () => {
    const { file } = await setUp(2, 2 * HUGE);
    await file.fallocate(0, 2 * HUGE, { keepSize: true });
    expect(file.populated()).toEqual([{ start: 0, end: 2 * HUGE }]);
  });

  it('row 16: fallocate past the end grows the file, or keeps pages there', async () => {
    const { file } = await setUp(4, HUGE);
    await file.fallocate(HUGE, 2 * HUGE, { keepSize: true });
    expect([file.pages, file.populated()]).toEqual([HUGE, [{ start: HUGE, end: 2 * HUGE }]]);
    await file.fallocate(2 * HUGE, 3 * HUGE);
    expect(file.pages).toBe(3 * HUGE);
  });

  it('row 17: a punch past the end succeeds', async () => {
    const { file } = await setUp(1, HUGE);
    await file.punchHole(HUGE, 2 * HUGE);
    await file.punchHole(HUGE + 1, HUGE + 2);
    expect(file.populated()).toEqual([]);
  });

  it('row 18: a punch that is not aligned is never EINVAL, and frees nothing', async () => {
    const { file } = await setUp(2, 2 * HUGE);
    await file.fallocate(0, 2 * HUGE);
    for (const [start, end] of [
      [0, 1],
      [0, HUGE - 1],
      [1, 2],
      [1, HUGE],
      [1, HUGE + 1],
      [HUGE - 1, 2 * HUGE - 1],
      [HUGE, HUGE + 1],
    ] as const) {
      await file.punchHole(start, end);
      expect(file.populated()).toEqual([{ start: 0, end: 2 * HUGE }]);
    }
  });

  it('row 19: a punch, then fallocate again', async () => {
    const { file } = await setUp(2, 2 * HUGE);
    await file.fallocate(0, 2 * HUGE);
    await file.punchHole(HUGE, 2 * HUGE);
    expect(file.populated()).toEqual([{ start: 0, end: HUGE }]);
    await file.fallocate(HUGE, 2 * HUGE, { keepSize: true });
    expect(file.populated()).toEqual([{ start: 0, end: 2 * HUGE }]);
  });
});
