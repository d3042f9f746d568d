import { describe, expect, it } from 'vitest';
import { EncryptedDevice, PageCipher } from '../../../adapters/encrypted-device/index.js';
import { createMemfile } from '../../../core/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import { settle } from '../../kit/small.js';
import { LawModel } from '../../model/index.js';
import { bytes, keys, PAGE, setUp, text } from './set-up.js';

const SECRET = bytes('the secret of the guest');

describe('what an encrypted device writes', () => {
  it('is read back by it, across pages, and is ciphertext to everybody else', async () => {
    const { file, device, contents } = await setUp();
    await file.fallocate(0, 4);
    const long = Uint8Array.from({ length: 2 * PAGE }, (_, i) => i % 251);
    await device.write(PAGE + 100, long);
    expect(await device.read(PAGE + 100, long.length)).toEqual(long);
    await device.write(PAGE + 200, SECRET);
    expect(text(await device.read(PAGE + 200, SECRET.length))).toBe(text(SECRET));
    expect(await device.read(PAGE + 100, 100)).toEqual(long.slice(0, 100));
    const seen = contents(1);
    expect(seen).not.toEqual(new Uint8Array(PAGE));
    expect(text(seen)).not.toContain(text(SECRET).slice(0, 4));
  });

  it('is AES-256-XTS by page frame: one frame, one key, and no other', async () => {
    const { file, device, contents, watcher } = await setUp();
    await file.fallocate(0, 2);
    const page = new Uint8Array(PAGE).fill(7);
    await device.write(0, page);
    await device.write(PAGE, page);
    expect(contents(0)).not.toEqual(contents(1));
    using lease = watcher.lookup(0);
    const [first, second] = [keys()(), keys(2)()];
    const plain = (key: Uint8Array, pfn: number): Uint8Array =>
      new PageCipher(key).decrypt(pfn, contents(0));
    expect(Uint8Array.from(plain(first, lease.pfn))).toEqual(page);
    expect(Uint8Array.from(plain(first, lease.pfn + 1))).not.toEqual(page);
    expect(Uint8Array.from(plain(second, lease.pfn))).not.toEqual(page);
  });

  it('cannot be decrypted through the file after its page left: the frame comes back zeroed', async () => {
    const { file, device, contents, watcher } = await setUp();
    await file.fallocate(0, 1);
    await device.write(0, SECRET);
    const before = watcher.lookup(0);
    before.put();
    const old = contents(0);
    await file.punchHole(0, 1);
    await expect(device.read(0, SECRET.length)).rejects.toMatchObject({ code: 'EFAULT' });
    await file.fallocate(0, 1);
    using after = watcher.lookup(0);
    expect(after.pfn).toBe(before.pfn);
    expect(contents(0)).toEqual(new Uint8Array(PAGE));
    expect(text(await device.read(0, PAGE))).not.toContain(text(SECRET));
    // Whoever kept the ciphertext and puts it into another frame gets noise.
    await file.fallocate(1, 2);
    using other = watcher.lookup(1);
    other.bytes().set(old);
    expect(text(await device.read(PAGE, SECRET.length))).not.toBe(text(SECRET));
  });

  it.each(['changeKey', 'reset'] as const)('is noise after %s', async (how) => {
    const { file, device, contents } = await setUp();
    await file.fallocate(0, 1);
    await device.write(0, SECRET);
    const before = contents(0);
    await device[how]();
    expect(device.table.pages).toBe(0);
    if (device.state === 'unlocked') await device.lock();
    await device.start();
    expect(device.table.pages).toBe(1);
    expect(contents(0)).toEqual(before);
    expect(text(await device.read(0, SECRET.length))).not.toBe(text(SECRET));
  });

  it('is still there after it left RUN and came back with its key', async () => {
    const { file, device } = await setUp();
    await file.fallocate(0, 1);
    await device.write(0, SECRET);
    await device.fail();
    await device.stop();
    await device.lock();
    await device.start();
    expect(text(await device.read(0, SECRET.length))).toBe(text(SECRET));
  });
});

describe('an encrypted device in a state', () => {
  it('maps in RUN alone, and leaving it tears everything down', async () => {
    const { file, device } = await setUp();
    await file.fallocate(0, 4);
    const leave = {
      changeKey: 'locked',
      stop: 'unlocked',
      reset: 'unlocked',
      fail: 'error',
    } as const;
    for (const [how, state] of Object.entries(leave)) {
      expect(device.table.ranges()).toEqual([{ start: 0, end: 4 }]);
      const left = device[how as keyof typeof leave]();
      expect({ state: device.state, pages: device.table.pages }).toEqual({ state, pages: 0 });
      await left;
      await expect(device.write(0, SECRET)).rejects.toMatchObject({
        code: 'EPERM',
        effect: 'none',
      });
      await expect(device.read(0, 0)).rejects.toMatchObject({ code: 'EPERM' });
      if (how === 'fail') break;
      if (device.state === 'unlocked') await device.lock();
      await device.start();
    }
    for (const how of ['lock', 'start', 'fail'] as const) {
      await expect(device[how]()).rejects.toMatchObject({ code: 'EPERM', syscall: how });
    }
    await file.fallocate(4, 8);
    expect(device.table.pages).toBe(0);
    await device.changeKey();
    expect(device.state).toBe('error');
    await device.stop();
    expect(device.state).toBe('unlocked');
    await expect(device.start()).rejects.toMatchObject({ code: 'EPERM' });
  });

  it('leaves RUN only when no DMA is in flight, and takes the new key only then', async () => {
    const { file, device, gate } = await setUp();
    await file.fallocate(0, 2);
    gate.held = true;
    const written = device.write(0, SECRET);
    const changed = device.changeKey();
    let over = false;
    void changed.then(() => (over = true));
    gate.release('flush');
    await settle();
    expect(over).toBe(false);
    const again = device.start();
    await settle();
    expect(device.state).toBe('locked');
    gate.release('dma');
    await written;
    await changed;
    gate.held = false;
    await settle();
    gate.release('map');
    await again;
    // Written under the old key, so noise under the new one.
    expect(text(await device.read(0, SECRET.length))).not.toBe(text(SECRET));
  });

  it('does not go on with the old key when there is no new one', async () => {
    let given = 0;
    const key = (): Uint8Array => (given++ === 0 ? keys()() : new Uint8Array(64));
    const { device } = await setUp({ key });
    await expect(device.changeKey()).rejects.toMatchObject({ code: 'EINVAL', syscall: 'key' });
    expect(device.state).toBe('error');
    expect(() => new EncryptedDevice({ key: () => new Uint8Array(32) })).toThrow('EINVAL');
    expect(() => new EncryptedDevice({ limit: -1 })).toThrow('EINVAL');
  });
});

describe('DMA of an encrypted device', () => {
  it('faults where nothing is mapped, and says what was written before', async () => {
    const { file, device } = await setUp({}, { start: 0, end: 2 });
    await file.fallocate(0, 4);
    await expect(device.write(PAGE, new Uint8Array(2 * PAGE))).rejects.toMatchObject({
      code: 'EFAULT',
      syscall: 'write',
      effect: 'partial',
    });
    await expect(device.read(9 * PAGE, 1)).rejects.toMatchObject({
      code: 'EFAULT',
      effect: 'none',
    });
    expect(device.faults).toBe(2);
    for (const address of [-1, 0.5, NaN, 2 ** 53]) {
      await expect(device.write(address, SECRET)).rejects.toMatchObject({ code: 'EINVAL' });
    }
    await expect(device.read(0, -1)).rejects.toMatchObject({ code: 'EINVAL' });
    expect(device.faults).toBe(2);
  });

  it('in flight holds an invalidation up, and a flush too; new DMA faults at once', async () => {
    const { file, device, gate } = await setUp();
    await file.fallocate(0, 4);
    gate.held = true;
    const written = device.write(PAGE, SECRET);
    const elsewhere = device.write(3 * PAGE, SECRET);
    let over = false;
    const punched = file.punchHole(0, 2).then(() => (over = true));
    expect(device.table.ranges()).toEqual([{ start: 2, end: 4 }]);
    await expect(device.read(PAGE, 1)).rejects.toMatchObject({ code: 'EFAULT' });
    expect(gate.labels).toEqual([
      expect.stringContaining('dma'),
      expect.stringContaining('dma'),
      'device: flush [0, 2)',
    ]);
    gate.release('flush');
    await settle();
    expect(over).toBe(false);
    gate.waiting.shift()!.go(); // The DMA to page 1, and not the one to page 3.
    await Promise.all([written, punched]);
    gate.release();
    await elsewhere;
    expect(file.populated()).toEqual([{ start: 2, end: 4 }]);
  });

  it('copies what it is given', async () => {
    const { file, device, gate } = await setUp();
    await file.fallocate(0, 1);
    const data = Uint8Array.from(SECRET);
    gate.held = true;
    const written = device.write(0, data);
    data.fill(0);
    gate.held = false;
    gate.release();
    await written;
    expect(text(await device.read(0, SECRET.length))).toBe(text(SECRET));
  });

  it('cannot reach what nobody may see', async () => {
    const memfile = createMemfile({ plugins: [shmem()] });
    const file = memfile.createFile('shmem', { size: 4, flags: ['inaccessible'] });
    const device = new EncryptedDevice();
    await device.lock();
    await device.start();
    await device.attach(file);
    await file.fallocate(0, 1);
    await expect(device.write(0, SECRET)).rejects.toMatchObject({
      code: 'EPERM',
      syscall: 'write',
    });
    expect(memfile.state.files.get(file.id)?.frames.pages).toBe(1);
  });
});

describe('an encrypted device and its files', () => {
  it('has several, each at an address of its own', async () => {
    const { memfile, file, device } = await setUp({}, { start: 4, end: 8 });
    const other = memfile.createFile('shmem', { size: 8, name: 'other' });
    await other.fallocate(0, 8);
    await expect(device.attach(other)).rejects.toMatchObject({ code: 'EEXIST', syscall: 'attach' });
    await expect(device.attach(other, { iova: -1 })).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(device.attach(other, { range: { start: 3, end: 3 } })).rejects.toMatchObject({
      code: 'EINVAL',
    });
    const second = await device.attach(other, { range: { start: 2, end: 6 }, iova: 100 });
    await file.fallocate(0, 8);
    expect(device.table.ranges()).toEqual([
      { start: 0, end: 4 },
      { start: 100, end: 104 },
    ]);
    await device.write(101 * PAGE, SECRET);
    using lease = second.lookup(101);
    expect({ page: lease.offset, file: lease.file.name }).toEqual({ page: 3, file: 'other' });
    lease.put();
    await second[Symbol.asyncDispose]();
    expect(device.table.ranges()).toEqual([{ start: 0, end: 4 }]);
    expect(other.registrations).toBe(0);
    await device.attach(other, { iova: 100 });
    expect(device.table.pages).toBe(12);
    await other.close();
    expect(device.table.pages).toBe(4);
    expect(device.attachments).toHaveLength(1);
  });

  it('misses nothing that happens while it attaches', async () => {
    const { file, device } = await setUp({}, { start: 0, end: 1 });
    await file.fallocate(4, 8);
    const attached = device.attach(file, { range: { start: 4, end: 8 }, iova: 4 });
    const punched = file.punchHole(5, 6);
    const added = file.fallocate(5, 7, { keepSize: true });
    await Promise.all([attached, punched, added]);
    expect(device.table.ranges()).toEqual([{ start: 4, end: 8 }]);
    const runs = [4, 5, 6, 7].map((page) => device.table.translate(page));
    const state = file.populated(4, 8);
    expect(state).toEqual([{ start: 4, end: 8 }]);
    expect(new Set(runs).size).toBe(4);
  });

  it('starts in time: what leaves between lookup and map is not mapped', async () => {
    const { file, device, gate } = await setUp();
    await device.stop();
    await file.fallocate(0, 8);
    await device.lock();
    gate.held = true;
    const started = device.start();
    await settle();
    expect(gate.labels).toEqual(['device: map [0, 8)']);
    const punched = file.punchHole(2, 4);
    const added = file.fallocate(3, 4);
    gate.held = false;
    gate.release();
    await Promise.all([started, punched, added]);
    expect(device.table.ranges()).toEqual([
      { start: 0, end: 2 },
      { start: 3, end: 8 },
    ]);
    expect(device.table.translate(3)).toBe(3);
  });

  it('stopped while it starts, has nothing mapped and no lease', async () => {
    const { file, device, gate, memfile } = await setUp();
    await device.stop();
    await file.fallocate(0, 8);
    await device.lock();
    gate.held = true;
    const started = device.start();
    await settle();
    const stopped = device.stop();
    gate.held = false;
    gate.release();
    await Promise.all([started, stopped]);
    expect(device.table.pages).toBe(0);
    expect([...memfile.state.registrations.values()].flatMap(({ leases }) => [...leases])).toEqual(
      [],
    );
  });

  it('evicted, loses all it has on the file', async () => {
    const { file, device, gate } = await setUp();
    await file.fallocate(0, 8);
    gate.held = true;
    const punched = file.punchHole(0, 2);
    await settle();
    const quiet = expect(punched).rejects.toMatchObject({ code: 'EIO', effect: 'done' });
    file.consumers()[0]!.evict();
    await quiet;
    await expect(device.read(4 * PAGE, 1)).rejects.toMatchObject({ code: 'EFAULT' });
    gate.held = false;
    gate.release();
    await settle();
    expect({ pages: device.table.pages, attached: device.attachments.length }).toEqual({
      pages: 0,
      attached: 0,
    });
  });

  it('disposed, has nothing left, and its files go on', async () => {
    const { memfile, file, device, gate } = await setUp({ pins: true });
    await file.fallocate(0, 8);
    gate.held = true;
    const written = device.write(0, SECRET);
    const over = device[Symbol.asyncDispose]();
    expect(device.table.pages).toBe(0);
    await settle();
    expect(file.registrations).toBe(2);
    gate.held = false;
    gate.release();
    await Promise.all([written, over]);
    expect(file.registrations).toBe(1);
    await expect(device.attach(file)).rejects.toMatchObject({ code: 'EBADF' });
    await expect(device.lock()).rejects.toMatchObject({ code: 'EBADF' });
    const leases = [...memfile.state.registrations.values()].flatMap(({ leases }) => [...leases]);
    expect(leases).toEqual([]);
    await file.punchHole(0, 8);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('is judged by the model of the laws, and lets go of poisoned pages', async () => {
    const witness = new LawModel();
    const { file, device } = await setUp({ witness });
    await file.fallocate(0, 8);
    await file.punchHole(2, 4);
    await file.fallocate(0, 4);
    await file.truncate(6);
    await file.poison(1);
    expect(device.table.ranges()).toEqual([
      { start: 0, end: 1 },
      { start: 2, end: 6 },
    ]);
    await expect(device.read(PAGE, 1)).rejects.toMatchObject({ code: 'EFAULT' });
    await device[Symbol.asyncDispose]();
    expect(witness.finish()).toEqual([]);
  });
});

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
