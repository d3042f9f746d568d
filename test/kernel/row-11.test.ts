import { describe, expect, it } from 'vitest';
import { createMemfile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { MemfileNotifier, ShmemInode, THP_PAGES, V4Kernel } from '../museum/v4.js';

/** What one notifier of the seed is told when pages leave, and what it finds there. */
const v4 = () => {
  const kernel = new V4Kernel({ shmem: true });
  const inode = new ShmemInode(kernel);
  const told: { start: number; end: number; locked: boolean | undefined }[] = [];
  const notifier = new MemfileNotifier({
    invalidate: (_, start, end) =>
      void told.push({ start, end, locked: inode.folioAt(start)?.locked }),
  });
  kernel.registerNotifier(inode, notifier, {});
  return { inode, told };
};

const ours = async (pages: number) => {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: pages });
  await file.fallocate(0, pages);
  const told: string[] = [];
  await file.register({
    invalidate: (start, end) =>
      void told.push(`invalidate ${start} ${end}, populated ${file.populated().length}`),
    invalidateEnd: (start, end) =>
      void told.push(`end ${start} ${end}, populated ${file.populated().length}`),
  });
  return { file, told };
};

describe('row 11', () => {
  const small = 'row 11: a punch of 4 small pages';

  it(`${small} — seed`, async () => {
    const { inode, told } = v4();
    await inode.fallocate(0, 4);
    await inode.punchHole(0, 4);
    expect(told).toEqual([0, 1, 2, 3].map((at) => ({ start: at, end: at + 1, locked: true })));
    expect(inode.folioAt(0)).toBeUndefined();
  });

  it(`${small} — memfile`, async () => {
    const { file, told } = await ours(4);
    await file.punchHole(0, 4);
    expect(told).toEqual(['invalidate 0 4, populated 1', 'end 0 4, populated 0']);
  });

  const huge = 'row 11: a punch of 512 pages that are one huge page';

  it(`${huge} — seed`, async () => {
    const { inode, told } = v4();
    await inode.fallocate(0, THP_PAGES, THP_PAGES);
    await inode.punchHole(0, THP_PAGES);
    expect(told).toEqual([{ start: 0, end: THP_PAGES, locked: true }]);
  });

  it(`${huge} — memfile`, async () => {
    const { file, told } = await ours(THP_PAGES);
    await file.punchHole(0, THP_PAGES);
    expect(told).toEqual(['invalidate 0 512, populated 1', 'end 0 512, populated 0']);
  });

  const cut = 'row 11: a punch from the middle of one huge page into the next';

  it(`${cut} — seed`, async () => {
    const { inode, told } = v4();
    await inode.fallocate(0, 2 * THP_PAGES, THP_PAGES);
    await inode.punchHole(500, 520);
    expect(told).toEqual([
      { start: 500, end: 512, locked: true },
      { start: 512, end: 520, locked: true },
    ]);
  });

  it(`${cut} — memfile`, async () => {
    const { file, told } = await ours(2 * THP_PAGES);
    await file.punchHole(500, 520);
    expect(told).toEqual(['invalidate 500 520, populated 1', 'end 500 520, populated 2']);
  });

  const hole = 'row 11: a punch of a hole';

  it(`${hole} — seed`, async () => {
    const { inode, told } = v4();
    await inode.punchHole(0, 4);
    expect(told).toEqual([]);
  });

  it(`${hole} — memfile`, async () => {
    const { file, told } = await ours(4);
    await file.punchHole(4, 8);
    expect(told).toEqual(['invalidate 4 8, populated 1', 'end 4 8, populated 1']);
  });
});
