import { describe, expect, it } from 'vitest';
import {
  ENOENT,
  ENOSPC,
  MemfileNotifier,
  ShmemInode,
  THP_PAGES,
  V4Kernel,
  type PfnOpsSlot,
} from './v4.js';

const setUp = (frames?: number) => {
  const kernel = new V4Kernel({ shmem: true });
  const inode = new ShmemInode(kernel, frames);
  const told: string[] = [];
  const notifier = new MemfileNotifier({
    invalidate: (_, start, end) => told.push(`invalidate ${start} ${end}`),
    fallocate: (_, start, end) => told.push(`fallocate ${start} ${end}`),
  });
  const slot: PfnOpsSlot = {};
  const registered = kernel.registerNotifier(inode, notifier, slot);
  return { kernel, inode, told, notifier, registered, pfnOps: slot.ops! };
};

describe('the seed, v4', () => {
  it('tells that pages leave when a failed fallocate is undone, even those that stay', async () => {
    const { inode, told } = setUp(3);
    inode.write(1);
    expect(await inode.fallocate(0, 8)).toBe(-ENOSPC);
    expect(told).toEqual(['invalidate 0 1', 'invalidate 1 2', 'invalidate 2 3']);
    expect(inode.folioAt(0)).toBeUndefined();
    expect(inode.folioAt(1)).toBeDefined();
  });

  it('answers ENOENT for a hole and allocates nothing', async () => {
    const { inode, pfnOps } = setUp();
    const order = { value: -1 };
    expect(await pfnOps.getLockPfn(inode, 0, order)).toBe(-ENOENT);
    expect(order.value).toBe(-1);
    expect(inode.folioAt(0)).toBeUndefined();
  });

  it('lets a notifier be registered twice, which ties its list into a knot', () => {
    const { kernel, inode, notifier } = setUp();
    expect(kernel.registerNotifier(inode, notifier, {})).toBe(0);
    expect(notifier.next).toBe(notifier);
  });

  it('names the whole range of an allocation, pages that were there too, and no write', async () => {
    const { inode, told } = setUp();
    inode.write(1);
    expect(told).toEqual([]);
    expect(await inode.fallocate(0, 4)).toBe(0);
    expect(await inode.fallocate(0, 4)).toBe(0);
    expect(told).toEqual(['fallocate 0 4', 'fallocate 0 4']);
  });

  it('hands pages out locked, so that a punch waits for whoever looked one up', async () => {
    const { inode, told, pfnOps } = setUp();
    await inode.fallocate(0, 2);
    const order = { value: -1 };
    const pfn = await pfnOps.getLockPfn(inode, 0, order);
    expect(pfn).toBeGreaterThan(0);
    expect(order.value).toBe(0);
    const punched = inode.punchHole(0, 2);
    expect(told).toEqual(['fallocate 0 2']);
    pfnOps.putUnlockPfn(pfn);
    await punched;
    expect(told).toEqual(['fallocate 0 2', 'invalidate 0 1', 'invalidate 1 2']);
  });

  it('answers the order and the exact page of a huge page, and splits one that is cut', async () => {
    const { inode, told, pfnOps } = setUp();
    await inode.fallocate(0, THP_PAGES, THP_PAGES);
    const order = { value: -1 };
    const first = await pfnOps.getLockPfn(inode, 0, order);
    pfnOps.putUnlockPfn(first);
    expect(order.value).toBe(9);
    const seventh = await pfnOps.getLockPfn(inode, 7, order);
    pfnOps.putUnlockPfn(seventh);
    expect(seventh).toBe(first + 7);
    await inode.truncate(8);
    expect(told.slice(1)).toEqual(['invalidate 8 512']);
    expect(await pfnOps.getLockPfn(inode, 7, order)).toBe(first + 7);
    expect(order.value).toBe(0);
    expect(await pfnOps.getLockPfn(inode, 8, order)).toBe(-ENOENT);
  });
});
