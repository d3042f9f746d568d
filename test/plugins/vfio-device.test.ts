import { describe, expect, it, vi } from 'vitest';
import { createMemfile, MemoryJournal } from '../../core/index.js';
import { KvmVm } from '../../adapters/kvm/index.js';
import { vfioDevice } from '../../plugins/vfio-device/index.js';
import { prefix } from './reopening.js';
import { BAR, CAME, follow, LEFT, setUp } from './vfio-device-set-up.js';

describe('a device region', () => {
  it('is all there from the start, with the frames of its BAR', async () => {
    const { memfile, file } = setUp();
    expect(file.populated()).toEqual([{ start: 0, end: 16 }]);
    const { registration } = await follow(file);
    expect(registration.snapshot).toEqual([{ start: 0, end: 16 }]);
    expect(registration.lookup(5)).toMatchObject({ pfn: 0x1005, order: 4 });
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('orders: as large as file, frame and what remains are aligned, whichever page is asked', async () => {
    const device = vfioDevice({ bars: [{ pfn: 0x1002, pages: 64 }] });
    const memfile = createMemfile({ plugins: [device] });
    const ranges = [
      { offset: 6, length: 13 }, // Frames 0x1008 to 0x1014.
      { offset: 30, length: 3 }, // Frames 0x1020 to 0x1022, at page 13.
      { offset: 62, length: 2 }, // Frames 0x1040 and 0x1041, at page 16.
    ];
    const file = memfile.createFile('vfio-device', { size: 18, region: 0, ranges });
    const { registration } = await follow(file);
    const answers = Array.from({ length: 18 }, (_, page) => {
      const { pfn, order } = registration.lookup(page);
      return `${(pfn - 0x1000).toString(16)}/${order}`;
    });
    expect(answers.join(' ')).toBe(
      '8/3 9/3 a/3 b/3 c/3 d/3 e/3 f/3 10/2 11/2 12/2 13/2 14/0 20/0 21/0 22/0 40/1 41/1',
    );
  });

  it('revoke twice is one notification, and enable twice too', async () => {
    const { device, memfile, file } = setUp();
    const { told } = await follow(file);
    await Promise.all([device.revoke(), device.revoke()]);
    await device.revoke();
    expect(told.splice(0)).toEqual(LEFT);
    expect(file.populated()).toEqual([]);
    expect(device.revoked).toBe(true);
    await Promise.all([device.enable(), device.enable()]);
    await device.enable();
    expect(told.splice(0)).toEqual(CAME);
    expect(file.populated()).toEqual([{ start: 0, end: 16 }]);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('a reset is both; of a revoked device, neither', async () => {
    const { device, file } = setUp();
    const { told } = await follow(file);
    await device.reset();
    expect(told.splice(0)).toEqual([...LEFT, ...CAME]);
    await device.revoke();
    told.length = 0;
    await device.reset();
    expect(told).toEqual([]);
    expect(device.revoked).toBe(true);
  });

  it('waits for consumers that let go late, and for turns: revoke, enable, revoke in a row', async () => {
    const { device, file } = setUp();
    let letGo = (): void => {};
    const flushed = new Promise<void>((resolve) => (letGo = resolve));
    const told: string[] = [];
    await file.register({
      fallocate: () => void told.push('came'),
      invalidate: () => {
        told.push('leaves');
        return flushed.then(() => void told.push('flushed'));
      },
      invalidateEnd: () => void told.push('left'),
    });
    const first = device.revoke().then(() => void told.push('over'));
    const moves = [device.enable(), device.revoke()];
    expect(told).toEqual(['leaves']);
    letGo();
    await Promise.all([first, ...moves]);
    expect(told.indexOf('over')).toBeGreaterThan(told.indexOf('left'));
    const rest = told.filter((what) => what !== 'over');
    const left = ['leaves', 'flushed', 'left'];
    expect(rest).toEqual([...left, 'came', ...left]);
    expect(file.populated()).toEqual([]);
  });

  it('born revoked when its memory is disabled: consumers wait for it', async () => {
    const { device, memfile, file } = setUp({ enabled: false });
    expect(file.populated()).toEqual([]);
    const { told, registration } = await follow(file);
    expect(() => registration.lookup(0)).toThrow('ENODEV');
    await device.enable();
    expect(told).toEqual(CAME);
    expect(registration.lookup(0).pfn).toBe(0x1000);
    expect(memfile.replay({ to: 2 }).plugins.get('vfio-device')).toEqual({
      memory: { revoked: true, pfns: [0x1000, null, 0x8004] },
    });
  });

  it('a file created while the device is revoked is born so', async () => {
    const { device, memfile } = setUp();
    await device.revoke();
    const late = memfile.createFile('vfio-device', { size: 8, region: 2 });
    expect(late.populated()).toEqual([]);
    await device.enable();
    expect(late.populated()).toEqual([{ start: 0, end: 8 }]);
  });

  it('revocation is in the journal, at every position', async () => {
    const { device, memfile, file } = setUp();
    await follow(file);
    const at: [number, boolean][] = [[memfile.journal.position, false]];
    for (const [move, revoked] of [
      [() => device.revoke(), true],
      [() => device.enable(), false],
    ] as const) {
      await move();
      at.push([memfile.journal.position, revoked]);
    }
    for (const [to, revoked] of at) {
      const { plugins } = memfile.replay({ to });
      expect(plugins.get('vfio-device')?.['memory']).toMatchObject({ revoked });
    }
    const events = [...memfile.journal.read(1)].filter(({ type }) => type === 'plugin');
    expect(events).toHaveLength(3); // As it was at first, and every change.
  });

  it('goes on as it was said to be', () => {
    const device = vfioDevice({ bars: [BAR] });
    const journal = new MemoryJournal();
    const data = { revoked: true, pfns: [0x4000] };
    journal.append({ type: 'plugin', plugin: 'vfio-device', name: 'memory', data });
    const memfile = createMemfile({ plugins: [device], journal });
    expect(device.revoked).toBe(true);
    expect(memfile.declare(device.events).state).toEqual(data);
    expect([...journal.read(2)].map(({ type }) => type)).toEqual(['open']);
  });

  it('goes on with a journal that ends anywhere: its pages are where the device says', async () => {
    const { device, memfile, file } = setUp({ movement: 'movable' });
    const { registration } = await follow(file, 'movable');
    await device.revoke();
    await device.enable();
    await device.relocate(0, 0x2000);
    registration.lookup(3);
    await device.reset();
    const last = memfile.journal.position;
    for (let at = 1; at <= last; at++) {
      const journal = prefix(memfile.journal, at);
      const bars = [BAR, undefined, { pfn: 0x8004, pages: 8 }];
      const again = vfioDevice({ bars, movement: 'movable' });
      const { files, state } = createMemfile({ plugins: [again], journal });
      const base = state.plugins.get('vfio-device')?.['memory']?.['pfns'] as number[];
      const [there] = [...files];
      await new Promise((resolve) => setImmediate(resolve)); // What was cut off is made up for.
      const frames = again.revoked || there === undefined ? [] : [[0, 16, base[0]]];
      const found = state.toJSON().files.flatMap(({ frames }) => frames);
      expect([at, found]).toEqual([at, frames]);
      await again.reset();
      expect(state.toJSON().files.flatMap(({ frames }) => frames)).toEqual(frames);
    }
  });

  it('two devices, by name', async () => {
    const gpu = vfioDevice({ name: 'gpu', bars: [BAR] });
    const memfile = createMemfile({ plugins: [gpu, vfioDevice({ bars: [BAR] })] });
    const file = memfile.createFile('gpu', { size: 1, region: 0 });
    const other = memfile.createFile('vfio-device', { size: 1, region: 0 });
    await gpu.revoke();
    expect([file.populated(), other.populated()]).toEqual([[], [{ start: 0, end: 1 }]]);
  });

  it('belongs to one memfile', () => {
    const { device } = setUp();
    expect(() => createMemfile({ plugins: [device] })).toThrow('EBUSY');
  });

  it('tells every file of it, and none that is closed', async () => {
    const { device, memfile, file } = setUp();
    const other = memfile.createFile('vfio-device', { size: 8, region: 2 });
    const closed = memfile.createFile('vfio-device', { size: 8, region: 2 });
    await closed.close();
    const [a, b] = [await follow(file), await follow(other)];
    await device.reset();
    expect(a.told).toEqual([...LEFT, ...CAME]);
    expect(b.told).toEqual(['leaves 0 8 device', 'left 0 8 device', 'came 0 8 device']);
  });

  it('forgets a file when it is closed', async () => {
    const { device, memfile } = setUp();
    const create = vi.spyOn(device, 'createFile');
    const short = memfile.createFile('vfio-device', { size: 8, region: 2 });
    const region = create.mock.results[0]!.value as ReturnType<typeof device.createFile>;
    const revoke = vi.spyOn(region, 'revoke');
    await short.truncate(8);
    await device.reset();
    expect(revoke).toHaveBeenCalledTimes(1);
    await short.close();
    await device.reset();
    expect(revoke).toHaveBeenCalledTimes(1);
  });

  it('does not mind a file that closes before its turn', async () => {
    const { device, file } = setUp();
    let letGo = (): void => {};
    await file.register({ invalidate: () => new Promise<void>((resolve) => (letGo = resolve)) });
    const closed = file.close();
    const moved = device.reset();
    letGo();
    await expect(Promise.all([closed, moved])).resolves.toBeDefined();
  });

  it('is revoked for good when it is closed', async () => {
    const { device, memfile, file } = setUp();
    const { told, registration } = await follow(file);
    await device.close();
    expect(told).toEqual(LEFT);
    await device.close();
    expect(told).toEqual(LEFT);
    expect(() => registration.lookup(0)).toThrow('ENODEV');
    await expect(device.enable()).rejects.toMatchObject({ code: 'ENODEV' });
    const more = { size: 8, region: 2 };
    expect(() => memfile.createFile('vfio-device', more)).toThrow('ENODEV');
    await expect(memfile[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });

  it('is taken down with its memfile', async () => {
    const { device, memfile } = setUp();
    await memfile[Symbol.asyncDispose]();
    expect(device.revoked).toBe(true);
    await expect(device.enable()).rejects.toMatchObject({ code: 'ENODEV' });
  });
});

describe('leases of a device region', () => {
  it('one of an older generation is stale, even when the frame is back', async () => {
    const contents = new Uint8Array(16 * 4096).map((_, i) => i >> 12);
    const { device, memfile, file } = setUp({ bars: [{ ...BAR, contents }] });
    const { registration } = await follow(file);
    const old = registration.lookup(3);
    expect(old.bytes()).toHaveLength(16 * 4096);
    await device.reset();
    const young = registration.lookup(3);
    expect(young.pfn).toBe(old.pfn);
    expect(young.bytes()[3 * 4096]).toBe(3);
    expect(() => old.bytes()).toThrow('ESTALE');
    old.put();
    expect(young.bytes()[0]).toBe(0);
    expect(file.populated()).toEqual([{ start: 0, end: 16 }]);
    young.put();
    expect(file.populated()).toEqual([{ start: 0, end: 16 }]);
    expect(registration.lookup(3).pfn).toBe(0x1003);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('between begin and end the old page answers, and the lease is good', async () => {
    const { device, file } = setUp({ bars: [{ ...BAR, contents: new Uint8Array(16 * 4096) }] });
    const seen: unknown[] = [];
    const registration = await file.register({
      invalidate: () => {
        const lease = registration.lookup(1);
        seen.push(lease.pfn, lease.bytes().length > 0);
        lease.put();
      },
      invalidateEnd: () => {
        try {
          registration.lookup(1);
        } catch (error) {
          seen.push((error as { code: string }).code);
        }
      },
    });
    await device.revoke();
    expect(seen).toEqual([0x1001, true, 'ENODEV']);
  });

  it('there are no contents unless the device gives some', async () => {
    const { file } = setUp();
    const { registration } = await follow(file);
    const lease = registration.lookup(0);
    expect(() => lease.bytes()).toThrow('EOPNOTSUPP');
  });

  it('what is written through one lease is what the device has', async () => {
    const contents = new Uint8Array(16 * 4096);
    const bars = [{ ...BAR, pfn: 0x1001, contents }];
    const { file } = setUp({ bars });
    const { registration } = await follow(file);
    const lease = registration.lookup(7);
    expect(lease).toMatchObject({ pfn: 0x1008, order: 0 });
    lease.bytes().fill(0xaa);
    expect(contents.subarray(7 * 4096, 8 * 4096).every((byte) => byte === 0xaa)).toBe(true);
    expect(contents.filter((byte) => byte !== 0)).toHaveLength(4096);
  });
});

it('KVM maps a region by its order, loses it when it is revoked, and faults until it is back', async () => {
  const device = vfioDevice({ bars: [{ pfn: 0x400, pages: 1024 }] });
  await using memfile = createMemfile({ plugins: [device] });
  const file = memfile.createFile('vfio-device', { size: 1024, region: 0 });
  await using vm = new KvmVm();
  await vm.setMemslot({
    slot: 0,
    gfn: 512,
    pages: 1024,
    pieces: [{ gfn: 512, pages: 1024, file, offset: 0 }],
  });
  expect(await vm.fault(515)).toEqual({ type: 'mapped', level: 2, spurious: false });
  expect(vm.stage2.get(1023)).toBe(0x5ff);
  await device.revoke();
  expect(vm.stage2.get(1023)).toBe(-1);
  expect(await vm.fault(515)).toMatchObject({ type: 'memory-fault', code: 'EFAULT' });
  await device.enable();
  expect(await vm.fault(515)).toMatchObject({ type: 'mapped' });
});

describe('what is no device', () => {
  it.each([
    ['EINVAL', 'no BARs at all', undefined],
    ['EINVAL', 'more than six', Array.from({ length: 7 }, (_, i) => ({ pfn: i, pages: 1 }))],
    ['EINVAL', 'a BAR without pages', [{ pfn: 1, pages: 0 }]],
    ['EINVAL', 'half a page', [{ pfn: 1, pages: 0.5 }]],
    ['EINVAL', 'no address', [{ pfn: -1, pages: 1 }]],
    ['EINVAL', 'null', [null]],
    ['EINVAL', 'BARs that overlap', [BAR, { pfn: 0x100f, pages: 1 }]],
    ['EINVAL', 'contents of another size', [{ ...BAR, contents: new Uint8Array(4096) }]],
    ['EINVAL', 'contents of another kind', [{ ...BAR, contents: 'zero' }]],
    ['EOVERFLOW', 'a BAR past the last address', [{ pfn: 2 ** 52 - 1, pages: 2 }]],
  ])('%s: %s', (code, _, bars) => {
    expect(() => vfioDevice({ bars: bars as never })).toThrow(new RegExp(`^${code}`));
  });

  it.each([
    { movement: 'restless' },
    { movement: Symbol('restless') },
    { name: 5 },
    { name: null },
    { enabled: 'no' },
  ])('EINVAL: %o', (options) => {
    expect(() => vfioDevice({ bars: [BAR], ...(options as object) })).toThrow(/^EINVAL/);
  });
});
