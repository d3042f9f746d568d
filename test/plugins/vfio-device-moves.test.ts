import { describe, expect, it } from 'vitest';
import { createMemfile } from '../../core/index.js';
import { vfioDevice } from '../../plugins/vfio-device/index.js';
import { CAME, follow, LEFT, setUp } from './vfio-device-set-up.js';

describe('what a device declares', () => {
  it('a consumer that follows pinned pages only is refused, by name', async () => {
    const { file } = setUp();
    const refused = file.register({ name: 'dma' }, { follows: 'pinned' });
    await expect(refused).rejects.toMatchObject({
      code: 'EOPNOTSUPP',
      message: expect.stringMatching(/"vfio-device" are revocable.*"dma".*'revocable'/),
    });
    expect(file.registrations).toBe(0);
  });

  it('pinned: lets such a consumer in, and refuses to be revoked, reset or relocated', async () => {
    const { device, file } = setUp({ movement: 'pinned' });
    const registration = await file.register({ name: 'dma' }, { follows: 'pinned' });
    for (const move of [device.revoke(), device.reset(), device.relocate(0, 0x2000)]) {
      await expect(move).rejects.toMatchObject({ code: 'EOPNOTSUPP' });
    }
    expect(registration.lookup(0).pfn).toBe(0x1000);
    await device.close();
    expect(registration.lookup(1).pfn).toBe(0x1001);
  });

  it('revocable: its BARs stay where they are', async () => {
    const { device } = setUp();
    await expect(device.relocate(0, 0x2000)).rejects.toMatchObject({ code: 'EOPNOTSUPP' });
  });

  it('movable: a BAR that is relocated comes back with other frames', async () => {
    const { device, memfile, file } = setUp({ movement: 'movable' });
    await expect(file.register({}, { follows: 'revocable' })).rejects.toThrow('EOPNOTSUPP');
    const { told, registration } = await follow(file, 'movable');
    const other = memfile.createFile('vfio-device', { size: 8, region: 2 });
    const still = await follow(other, 'movable');
    await device.relocate(0, 0x1000);
    expect(told).toEqual([]);
    await device.relocate(0, 0x2000);
    expect(told).toEqual([...LEFT, ...CAME]);
    expect(still.told).toEqual([]);
    expect(registration.lookup(3).pfn).toBe(0x2003);
    expect(memfile.replay().plugins.get('vfio-device')?.['memory']).toEqual({
      revoked: false,
      pfns: [0x2000, null, 0x8004],
    });
    await expect(device.relocate(1, 0)).rejects.toMatchObject({ code: 'ENODEV' });
    await expect(device.relocate(0, 0x7fff)).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(device.relocate(0, 2 ** 52)).rejects.toMatchObject({ code: 'EOVERFLOW' });
    await device.revoke();
    await device.relocate(0, 0x3000);
    await device.enable();
    expect(registration.lookup(0).pfn).toBe(0x3000);
  });
});

describe('a BAR on its way to another address', () => {
  const movable = async () => {
    const device = vfioDevice({
      bars: [
        { pfn: 0x100, pages: 4 },
        { pfn: 0x200, pages: 4 },
      ],
      movement: 'movable',
    });
    const memfile = createMemfile({ plugins: [device] });
    const [first, second] = [0, 1].map((region) =>
      memfile.createFile('vfio-device', { size: 4, region }),
    );
    let letGo = (): void => {};
    const flushed = new Promise<void>((resolve) => (letGo = resolve));
    await first!.register({ invalidate: () => flushed });
    const frames = (): number[] =>
      [first!, second!].map(({ id }) => memfile.state.files.get(id)!.frames.get(0));
    return { device, memfile, frames, letGo };
  };

  it.each(['relocate', 'revoke'] as const)(
    'keeps its old place until its files have left it (%s)',
    async (how) => {
      const { device, memfile, frames, letGo } = await movable();
      const moves = how === 'revoke' ? [device.revoke()] : [];
      moves.push(device.relocate(0, 0x300));
      const taken = { code: 'EBUSY', syscall: 'relocate', effect: 'none' };
      const { position } = memfile.journal;
      for (const pfn of [0xfd, 0x100, 0x103]) {
        await expect(device.relocate(1, pfn)).rejects.toMatchObject(taken);
      }
      await expect(device.relocate(0, 0x101)).rejects.toMatchObject(taken);
      expect(memfile.journal.position).toBe(position);
      memfile.createFile('vfio-device', { size: 4, region: 1 });
      await device.relocate(1, 0x104);
      letGo();
      await Promise.all(moves);
      await device.relocate(1, 0x100);
      await device.enable();
      expect(frames()).toEqual([0x300, 0x100]);
      expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
    },
  );

  it('may come to lie over its own old place once it is revoked', async () => {
    const { device, frames, letGo } = await movable();
    letGo();
    await expect(device.relocate(0, 0x102)).rejects.toMatchObject({ code: 'EBUSY' });
    await device.revoke();
    await device.relocate(0, 0x102);
    await device.enable();
    expect(frames()).toEqual([0x102, 0x200]);
  });
});

describe('a device region and consumers that fail', () => {
  it('the frames of one that did not let go do not come back', async () => {
    const { device, memfile, file } = setUp();
    const { told, registration } = await follow(file);
    const stuck = await file.register(
      {
        name: 'stuck',
        invalidate: () => {
          throw new Error('still in use');
        },
      },
      { range: { start: 4, end: 6 } },
    );
    await expect(device.revoke()).rejects.toMatchObject({ code: 'EIO', effect: 'done' });
    await stuck.unregister();
    told.length = 0;
    await expect(device.enable()).rejects.toMatchObject({ code: 'EIO', effect: 'partial' });
    expect(told).toEqual(['came 0 4 device', 'came 6 16 device']);
    expect(() => registration.lookup(4)).toThrow(/EIO.*quarantined/);
    expect(registration.lookup(3)).toMatchObject({ pfn: 0x1003, order: 2 });
    expect(registration.lookup(7)).toMatchObject({ pfn: 0x1007, order: 1 });
    const again = memfile.createFile('vfio-device', {
      size: 4,
      region: 0,
      ranges: [{ offset: 3, length: 4 }],
    });
    expect(again.populated()).toEqual([
      { start: 0, end: 1 },
      { start: 3, end: 4 },
    ]);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('a poisoned page does not come back either', async () => {
    const { device, file } = setUp();
    const { registration } = await follow(file);
    await file.poison(2);
    expect(() => registration.lookup(2)).toThrow('EHWPOISON');
    await device.revoke();
    await expect(device.enable()).rejects.toMatchObject({ code: 'EIO', effect: 'partial' });
    expect(file.populated()).toEqual([
      { start: 0, end: 2 },
      { start: 3, end: 16 },
    ]);
  });

  it('one that refuses: nothing came, and enable tries again', async () => {
    const { device, file } = setUp({ enabled: false });
    let room = false;
    const told: string[] = [];
    await file.register({
      name: 'small',
      prepare: () => {
        if (!room) throw new Error('no room');
      },
      fallocate: (start, end) => void told.push(`came ${start} ${end}`),
    });
    await expect(device.enable()).rejects.toMatchObject({
      code: 'EBUSY',
      refused: { consumer: 'small', page: 0 },
    });
    expect(file.populated()).toEqual([]);
    room = true;
    await device.enable();
    expect(told).toEqual(['came 0 16']);
  });

  it('failures of several files come together', async () => {
    const { device, memfile, file } = setUp();
    const other = memfile.createFile('vfio-device', { size: 8, region: 2 });
    for (const each of [file, other]) {
      await each.register({ invalidate: () => Promise.reject(new Error('no')) });
    }
    const error = await device.revoke().catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'EIO', cause: expect.any(AggregateError) });
    await expect(device.revoke()).resolves.toBeUndefined();
    expect(other.populated()).toEqual([]);
  });
});
