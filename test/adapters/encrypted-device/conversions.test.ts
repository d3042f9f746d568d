import { describe, expect, it } from 'vitest';
import { EncryptedDevice } from '../../../adapters/encrypted-device/index.js';
import { createMemfile, type MemfileError, type BackingStore } from '../../../core/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import { bytes, PAGE, setUp, text } from './set-up.js';

const refusal = async (operation: Promise<void>): Promise<MemfileError> =>
  (await operation.then(
    () => undefined,
    (error: unknown) => error,
  )) as MemfileError;

describe('conversions under an encrypted device', () => {
  it('with access to both sides: unmapped before, mapped after, contents kept', async () => {
    const { file, device, gate } = await setUp();
    await file.fallocate(0, 4);
    await device.write(PAGE, bytes('hello'));
    gate.held = true;
    const converted = file.convert(1, 3, 'private');
    expect(device.table.ranges()).toEqual([
      { start: 0, end: 1 },
      { start: 3, end: 4 },
    ]);
    expect(file.privatePages()).toEqual([]);
    gate.held = false;
    gate.release();
    await converted;
    expect(device.table).toMatchObject({ entries: 1, pages: 4 });
    expect(text(await device.read(PAGE, 5))).toBe('hello');
  });

  it('with access to private pages: unmapped before shared, mapped after private', async () => {
    const { file, device } = await setUp({ access: 'private' });
    await file.fallocate(0, 4);
    expect(device.table.pages).toBe(0);
    const told: string[] = [];
    const note = (type: string) => (start: number, end: number) => {
      told.push(`${type} [${start}, ${end}), device has ${device.table.pages}`);
    };
    await file.register(
      { name: 'vm', fallocate: note('fallocate'), invalidate: note('invalidate') },
      { access: 'shared' },
    );
    await file.convert(0, 3, 'private');
    expect(device.table.ranges()).toEqual([{ start: 0, end: 3 }]);
    await file.convert(1, 2, 'shared');
    expect(device.table.pages).toBe(2);
    expect(told).toEqual(['invalidate [0, 3), device has 0', 'fallocate [1, 2), device has 2']);
    await expect(device.read(PAGE, 1)).rejects.toMatchObject({ code: 'EFAULT' });
  });

  it('go before the IOMMU is full: the budget refuses what would be gained', async () => {
    const { file, device } = await setUp({ access: 'private', limit: 1 });
    await file.fallocate(4, 5);
    await file.fallocate(3, 4);
    const error = await refusal(file.convert(0, 8, 'private'));
    expect(error).toMatchObject({
      code: 'ENOSPC',
      effect: 'none',
      refused: { consumer: 'device' },
    });
    expect({ pages: device.table.pages, private: file.privatePages() }).toEqual({
      pages: 0,
      private: [],
    });
    expect(device.table.used).toBe(0);
  });

  it.each(['both', 'shared'] as const)(
    'are refused by one that pins (%s), naming it, the page and who holds it',
    async (access) => {
      const { file, device, memfile } = await setUp({ pins: true, access, name: 'gpu' });
      await file.fallocate(2, 4);
      const error = await refusal(file.convert(0, 8, 'private'));
      expect(error).toMatchObject({
        code: 'EAGAIN',
        effect: 'none',
        refused: { consumer: 'gpu', page: 2, holders: ['gpu'] },
      });
      expect(error.message).toContain('page 2 is pinned for DMA');
      expect(file.privatePages()).toEqual([]);
      expect(device.table.pages).toBe(2);
      await device.write(2 * PAGE, bytes('still'));
      await device.stop();
      await file.convert(0, 8, 'private');
      expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
    },
  );

  it('do not concern pins of pages that are on that side already', async () => {
    const { file, device, memfile } = await setUp({ pins: true, name: 'gpu' });
    await file.convert(0, 4, 'private');
    await file.fallocate(0, 4);
    expect(device.table.pages).toBe(4);
    await file.convert(0, 8, 'private');
    expect(file.privatePages()).toEqual([{ start: 0, end: 8 }]);
    expect(device.table).toMatchObject({ pages: 4, entries: 1 });
    await file.fallocate(8, 10);
    expect(await refusal(file.convert(2, 12, 'private'))).toMatchObject({
      code: 'EAGAIN',
      refused: { consumer: 'gpu', page: 8, holders: ['gpu'] },
    });
    await device.stop();
    expect([...memfile.state.registrations.values()].every(({ leases }) => leases.size === 0)).toBe(
      true,
    );
  });

  it('are refused by its lease when it pinned after it had agreed', async () => {
    const { file, device } = await setUp({ pins: true, name: 'gpu' });
    await device.stop();
    await file.fallocate(0, 4);
    await device.lock();
    let agree = (): void => {};
    const voter = await file.register({
      prepare: () => new Promise<void>((resolve) => (agree = resolve)),
    });
    const converted = refusal(file.convert(0, 2, 'private'));
    await device.start(); // Nothing has begun yet that it could know of.
    expect(device.table.pages).toBe(4);
    agree();
    expect(await converted).toMatchObject({
      code: 'EAGAIN',
      refused: { consumer: 'gpu', page: 0, holders: ['gpu'] },
    });
    expect(device.table).toMatchObject({ pages: 4, entries: 1 });
    voter.unsubscribe();
    await device.stop();
    await file.convert(0, 2, 'private');
    expect(file.privatePages()).toEqual([{ start: 0, end: 2 }]);
  });

  it('undone, map again what had been unmapped', async () => {
    const { file, device } = await setUp();
    await file.fallocate(0, 4);
    const held = (await file.register({ name: 'holder' })).lookup(1);
    expect(await refusal(file.convert(0, 4, 'private'))).toMatchObject({
      code: 'EAGAIN',
      refused: { consumer: 'holder', page: 1 },
    });
    expect(device.table).toMatchObject({ pages: 4, entries: 1 });
    held.put();
    await file.convert(0, 4, 'private');
    expect(device.table).toMatchObject({ pages: 4, entries: 1 });
  });
});

describe('an encrypted device that pins', () => {
  const leased = ({ state }: ReturnType<typeof createMemfile>): number =>
    [...state.registrations.values()].reduce((sum, { leases }) => sum + leases.size, 0);

  it('has a lease of every page it has mapped, and of no other', async () => {
    const { file, device, memfile } = await setUp({ pins: true });
    await file.fallocate(0, 8);
    expect(leased(memfile)).toBe(8);
    await file.punchHole(2, 4);
    expect(leased(memfile)).toBe(6);
    await device.stop();
    expect(leased(memfile)).toBe(0);
    await device.lock();
    await device.start();
    expect(leased(memfile)).toBe(6);
    await device.changeKey();
    expect(leased(memfile)).toBe(0);
  });

  it.each(['punch', 'stop'] as const)('has its leases until a %s is over', async (how) => {
    const { file, device, gate, memfile } = await setUp({ pins: true });
    await file.fallocate(0, 4);
    gate.held = true;
    const over = how === 'stop' ? device.stop() : file.punchHole(0, 4);
    expect(device.table.pages).toBe(0);
    expect(leased(memfile)).toBe(4);
    gate.held = false;
    gate.release();
    await over;
    expect(leased(memfile)).toBe(0);
  });

  it('puts the pins of a half that it had no room for', async () => {
    const { file, device, memfile } = await setUp({ pins: true, limit: 1 });
    await file.fallocate(0, 10);
    await file.punchHole(6, 7);
    expect({ pages: device.table.pages, leases: leased(memfile) }).toEqual({ pages: 6, leases: 6 });
  });

  it('puts the pins of another file, whose window lay in that half', async () => {
    const {
      memfile,
      file: a,
      device,
    } = await setUp({ pins: true, limit: 2 }, { start: 0, end: 4 });
    const b = memfile.createFile('shmem', { size: 28, name: 'b' });
    await a.fallocate(0, 4);
    await b.fallocate(0, 28);
    await device.attach(b, { range: { start: 0, end: 28 }, iova: 4 });
    expect(device.table).toMatchObject({ entries: 1, pages: 32 });
    await b.punchHole(1, 2);
    await a.punchHole(3, 4);
    expect(device.table).toMatchObject({ entries: 2, pages: 29, droppedPages: 1 });
    expect(leased(memfile)).toBe(29);
    await b.convert(0, 1, 'private');
    expect(b.privatePages()).toEqual([{ start: 0, end: 1 }]);
  });

  it('keeps the frames of a punch until it has let go', async () => {
    const { file, device, gate, watcher } = await setUp({ pins: true });
    await file.fallocate(0, 1);
    const { pfn } = watcher.lookup(0);
    watcher.unsubscribe();
    gate.held = true;
    const written = device.write(0, bytes('late'));
    const punched = file.punchHole(0, 1);
    gate.held = false;
    gate.release();
    await Promise.all([written, punched]);
    expect(pfn).toBe(1);
    expect(device.table.pages).toBe(0);
  });

  it('cannot follow a store that takes its pages away', async () => {
    const revocable: BackingStore<'revocable', object> = {
      ...shmem(),
      name: 'revocable',
      capabilities: { movement: 'revocable' },
    };
    const memfile = createMemfile({ plugins: [revocable] });
    const file = memfile.createFile('revocable', { size: 4 });
    const pinning = new EncryptedDevice({ pins: true });
    await expect(pinning.attach(file)).rejects.toMatchObject({ code: 'EOPNOTSUPP' });
    expect(pinning.attachments).toEqual([]);
    const following = new EncryptedDevice();
    await following.attach(file);
    expect(following.attachments).toHaveLength(1);
  });
});
