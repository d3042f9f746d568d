import { describe, expect, it } from 'vitest';
import type { MemfileError } from '../../../core/index.js';
import { settle } from '../../kit/small.js';
import { LawModel } from '../../model/index.js';
import { bytes, PAGE, setUp } from './set-up.js';

const SECRET = bytes('the secret of the guest');

/** A device that starts: it has looked up, and has not mapped. */
async function halfStarted() {
  const made = await setUp();
  const { file, device, gate } = made;
  await device.stop();
  await file.fallocate(0, 8);
  await device.lock();
  gate.held = true;
  const started = device.start();
  await settle();
  return { ...made, started };
}

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
    const { file, device, gate, started } = await halfStarted();
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
    const { device, gate, memfile, started } = await halfStarted();
    const stopped = device.stop();
    gate.held = false;
    gate.release();
    await expect(started).rejects.toMatchObject({ code: 'EAGAIN', syscall: 'start' });
    await stopped;
    expect(device).toMatchObject({ state: 'unlocked', table: { pages: 0 } });
    expect([...memfile.state.registrations.values()].flatMap(({ leases }) => [...leases])).toEqual(
      [],
    );
  });

  it('stopped while it starts and started again, is mapped by the second start alone', async () => {
    const { file, device, gate } = await setUp();
    await device.stop();
    await file.fallocate(0, 8);
    await device.lock();
    gate.held = true;
    const over: string[] = [];
    const start = (which: string): Promise<unknown> =>
      device.start().then(
        () => over.push(`${which}: running`),
        (error: MemfileError) => over.push(`${which}: ${error.code}`),
      );
    const first = start('first');
    await settle();
    const map = gate.waiting.splice(0)[0]!; // It looked up, and has not mapped.
    const stopped = device.stop();
    await device.lock();
    const second = start('second');
    map.go();
    await stopped;
    await first;
    expect(over).toEqual(['first: EAGAIN']);
    await settle();
    expect(gate.labels).toEqual(['device: map [0, 8)']); // Nothing of the first goes on.
    gate.release();
    await second;
    expect(over).toEqual(['first: EAGAIN', 'second: running']);
    expect(device.table.pages).toBe(8);
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
