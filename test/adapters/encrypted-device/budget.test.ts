import { describe, expect, it } from 'vitest';
import { settle } from '../../kit/small.js';
import { setUp } from './set-up.js';

describe('the mapping budget of an encrypted device', () => {
  /** Pages whose frames are nowhere contiguous: allocated from the last to the first. */
  const scattered = async (file: { fallocate(start: number, end: number): Promise<void> }) => {
    for (let page = 7; page >= 0; page--) await file.fallocate(page, page + 1);
  };

  it('refuses what it has no room for, by name, and leaves everything as it was', async () => {
    const { file, device } = await setUp({ limit: 2 });
    await file.fallocate(7, 8);
    await file.fallocate(6, 7);
    const refused = file.fallocate(0, 1);
    await expect(refused).rejects.toMatchObject({
      code: 'ENOSPC',
      effect: 'none',
      refused: { consumer: 'device', page: 0 },
    });
    expect(file.populated()).toEqual([{ start: 6, end: 8 }]);
    await file.punchHole(6, 7);
    await file.fallocate(0, 1);
    expect(device.table).toMatchObject({ entries: 2, used: 2, peak: 2 });
  });

  it('promises no more than it has, to operations that run at one time', async () => {
    const { file, device } = await setUp({ limit: 1 });
    let agree = (): void => {};
    await file.register({ prepare: () => new Promise<void>((resolve) => (agree = resolve)) });
    const first = file.fallocate(0, 4);
    expect(device.table.used).toBe(1);
    await expect(file.fallocate(8, 9)).rejects.toMatchObject({ code: 'ENOSPC' });
    agree();
    await first;
    expect(device.table).toMatchObject({ entries: 1, used: 1 });
  });

  it('is given back what was promised and rolled back', async () => {
    const { file, device } = await setUp({ limit: 1 });
    const no = await file.register({
      prepare() {
        throw new Error('no');
      },
    });
    await expect(file.fallocate(0, 4)).rejects.toMatchObject({ code: 'EBUSY' });
    expect(device.table.used).toBe(0);
    no.unsubscribe();
    await file.fallocate(0, 4);
    expect(device.table.used).toBe(1);
  });

  it('is promised to pages that it gains, and given back when it leaves before', async () => {
    const { file, device, attachment } = await setUp({ access: 'private' });
    await file.fallocate(0, 4);
    let agree = (): void => {};
    await file.register({ prepare: () => new Promise<void>((resolve) => (agree = resolve)) });
    const converted = file.convert(0, 4, 'private');
    expect(device.table).toMatchObject({ entries: 0, used: 1 });
    await attachment[Symbol.asyncDispose]();
    expect(device.table.used).toBe(0);
    agree();
    await settle();
    agree();
    await converted;
    expect(device.table.pages).toBe(0);
  });

  it('keeps it from attaching, and from starting, with nothing mapped', async () => {
    const { file, device } = await setUp({ limit: 3 }, { start: 8, end: 16 });
    await scattered(file);
    await expect(
      device.attach(file, { range: { start: 0, end: 8 }, iova: 100 }),
    ).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    expect({ pages: device.table.pages, attached: device.attachments.length }).toEqual({
      pages: 0,
      attached: 1,
    });
    await device.stop();
    await device.attach(file, { range: { start: 0, end: 8 }, iova: 100 });
    await device.lock();
    await expect(device.start()).rejects.toMatchObject({ code: 'ENOSPC', syscall: 'start' });
    expect(device).toMatchObject({ state: 'locked', table: { pages: 0, used: 0 } });
    await file.punchHole(0, 5);
    await device.start();
    expect(device.table.entries).toBe(3);
  });

  it('is hard: a punch into its last entry takes the smaller half too', async () => {
    const { file, device } = await setUp({ limit: 1 });
    await file.fallocate(0, 10);
    await file.punchHole(6, 7);
    expect(device.table.ranges()).toEqual([{ start: 0, end: 6 }]);
    expect(device.table).toMatchObject({ entries: 1, droppedPages: 3, splits: 0 });
    expect(file.populated()).toEqual([
      { start: 0, end: 6 },
      { start: 7, end: 10 },
    ]);
    await file.punchHole(0, 10);
    expect(device.table.used).toBe(0);
  });
});
