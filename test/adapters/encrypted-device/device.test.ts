import { describe, expect, it } from 'vitest';
import { EncryptedDevice, PageCipher } from '../../../adapters/encrypted-device/index.js';
import { createMemfile } from '../../../core/index.js';
import { shmem } from '../../../plugins/shmem/index.js';
import { settle } from '../../kit/small.js';
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
