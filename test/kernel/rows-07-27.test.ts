import { describe, expect, it } from 'vitest';
import { createMemfile, type MemoryFile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { vfioDevice } from '../../plugins/vfio-device/index.js';

const PAGES = 4;

const setUp = (size = PAGES) => {
  const memfile = createMemfile({ plugins: [shmem()] });
  return { memfile, file: memfile.createFile('shmem', { size, name: 'guest' }) };
};

/** The first byte of every page that is there, by way of one consumer. */
async function firstBytes(file: MemoryFile): Promise<number[]> {
  const registration = await file.register({ name: 'reader' });
  const bytes = file.populated().flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, i) => {
      using lease = registration.lookup(start + i);
      const [first, ...rest] = new Set(lease.bytes());
      expect(rest).toEqual([]); // The page holds one value only.
      return first!;
    }),
  );
  await registration.unregister();
  return bytes;
}

async function fill(file: MemoryFile, value: number): Promise<void> {
  const registration = await file.register({ name: 'writer' });
  for (const { start, end } of file.populated()) {
    for (let page = start; page < end; page++) {
      using lease = registration.lookup(page);
      lease.bytes().fill(value);
    }
  }
  await registration.unregister();
}

describe('row 7: what is declared at registration', () => {
  const device = () => vfioDevice({ bars: [{ pfn: 16, pages: PAGES }] });

  it('two consumers that declare different things: both ok', async () => {
    const { file } = setUp();
    await file.register({ name: 'a' }, { follows: 'pinned', access: 'private' });
    await file.register({ name: 'b' }, { follows: 'movable', access: 'shared' });
    await file.register({ name: 'c' }, { follows: 'movable', access: 'shared' });
    expect(file.registrations).toBe(3);
  });

  it('a declaration that nobody knows → EINVAL', async () => {
    const { file } = setUp();
    for (const options of [{ follows: 'bit 3' }, { access: 'bit 3' }, { budget: 3 }]) {
      const refused = file.register({}, options as never);
      await expect(refused).rejects.toMatchObject({ code: 'EINVAL' });
    }
    expect(file.registrations).toBe(0);
  });

  it('what does not go together with the store → EOPNOTSUPP', async () => {
    const memfile = createMemfile({ plugins: [device()] });
    const file = memfile.createFile('vfio-device', { size: PAGES, region: 0 });
    const refused = file.register({}, { follows: 'pinned' });
    await expect(refused).rejects.toMatchObject({ code: 'EOPNOTSUPP' });
  });

  it('no callbacks → EINVAL', async () => {
    const { file } = setUp();
    await expect(file.register(null as never)).rejects.toMatchObject({ code: 'EINVAL' });
  });
});

describe('row 8: an inaccessible file', () => {
  it('its size is set once → EPERM the second time', async () => {
    const { memfile } = setUp();
    const file = memfile.createFile('shmem', { size: 0, flags: ['inaccessible'] });
    await file.truncate(PAGES);
    await expect(file.truncate(PAGES + 1)).rejects.toMatchObject({ code: 'EPERM' });
    await expect(file.truncate(0)).rejects.toMatchObject({ code: 'EPERM' });
    expect(file.pages).toBe(PAGES);
  });

  it('a size that is no whole number of pages → EINVAL', async () => {
    const { memfile } = setUp();
    const file = memfile.createFile('shmem', { size: 0, flags: ['inaccessible'] });
    await expect(file.truncate(4097 / 4096)).rejects.toMatchObject({ code: 'EINVAL' });
  });

  it('contents → EPERM', async () => {
    const { memfile } = setUp();
    const file = memfile.createFile('shmem', { size: 1, flags: ['inaccessible'] });
    await file.fallocate(0, 1);
    const registration = await file.register({});
    using lease = registration.lookup(0);
    expect(() => lease.bytes()).toThrow(/^EPERM/);
  });

  it('a punch that is not aligned → EINVAL', async () => {
    const { file } = setUp();
    await expect(file.punchHole(1 / 4096, 1)).rejects.toMatchObject({ code: 'EINVAL' });
  });
});

it('row 10: a lookup of a hole → ENOENT, and nothing is allocated', async () => {
  const { memfile, file } = setUp();
  const registration = await file.register({});
  const { position } = memfile.state;
  expect(() => registration.lookup(1)).toThrow(/^ENOENT/);
  expect(file.populated()).toEqual([]);
  expect(memfile.state.position).toBe(position);
});

it('row 12: contents of guest memory are shown to nobody → EPERM, whoever looks', async () => {
  const { memfile } = setUp();
  const file = memfile.createFile('shmem', { size: 2, flags: ['inaccessible'] });
  await file.fallocate(0, 2);
  for (const access of ['both', 'shared'] as const) {
    const registration = await file.register({}, { access });
    using lease = registration.lookup(1);
    expect(() => lease.bytes()).toThrow(/^EPERM/);
  }
});

describe('row 13: sizes and flags at creation', () => {
  it('a size that is not whole pages, or less than none → EINVAL; a good one → a file', () => {
    const { memfile } = setUp();
    for (const size of [1 / 4096, 4095 / 4096, 1.5, -1, NaN]) {
      expect(() => memfile.createFile('shmem', { size })).toThrow(/^EINVAL/);
    }
    expect(memfile.createFile('shmem', { size: 1 }).pages).toBe(1);
  });

  it('each flag that nobody knows → EINVAL; a known one → a file that has it', () => {
    const { memfile } = setUp();
    for (const flag of ['mmap', 'init-shared', '']) {
      const create = () => memfile.createFile('shmem', { size: 1, flags: [flag as never] });
      expect(create).toThrow(/^EINVAL/);
    }
    const { flags } = memfile.createFile('shmem', { size: 1, flags: ['inaccessible'] });
    expect(flags).toEqual(['inaccessible']);
  });
});

it('row 14: two files have an identity, a size and pages of their own', async () => {
  const { memfile, file } = setUp();
  const other = memfile.createFile('shmem', { size: 2 * PAGES });
  expect(other.id).not.toBe(file.id);
  expect([file.pages, other.pages]).toEqual([PAGES, 2 * PAGES]);
  await file.fallocate(0, PAGES);
  await other.fallocate(0, PAGES);
  await fill(file, 0xaa);
  expect(await firstBytes(other)).toEqual([0, 0, 0, 0]);
  await other.close();
  expect(await firstBytes(file)).toEqual([0xaa, 0xaa, 0xaa, 0xaa]);
});

describe('rows 15, 17, 19: fallocate and punch', () => {
  it('row 15: fallocate of the whole file, its size kept', async () => {
    const { file } = setUp();
    await file.fallocate(0, PAGES, { keepSize: true });
    expect([file.populated(), file.pages]).toEqual([[{ start: 0, end: PAGES }], PAGES]);
  });

  it('row 17: punch at the end of the file, and past it, succeeds', async () => {
    const { file } = setUp();
    await file.fallocate(0, PAGES);
    await expect(file.punchHole(PAGES, PAGES + 1)).resolves.toBeUndefined();
    await expect(file.punchHole(PAGES + 1, PAGES + 2)).resolves.toBeUndefined();
    expect([file.populated(), file.pages]).toEqual([[{ start: 0, end: PAGES }], PAGES]);
  });

  it('row 19: punch one page, then allocate it again', async () => {
    const { file } = setUp();
    await file.fallocate(0, PAGES);
    await file.punchHole(1, 2);
    expect(file.populated()).toEqual([
      { start: 0, end: 1 },
      { start: 2, end: PAGES },
    ]);
    await file.fallocate(1, 2, { keepSize: true });
    expect(file.populated()).toEqual([{ start: 0, end: PAGES }]);
  });
});

it('row 16, as tmpfs: past the end the file grows, or keeps the pages; a seal forbids both', async () => {
  const { file } = setUp();
  await file.fallocate(PAGES, PAGES + 1, { keepSize: true });
  expect(file.pages).toBe(PAGES);
  await file.fallocate(PAGES, PAGES + 1);
  expect(file.pages).toBe(PAGES + 1);
  await file.addSeals('grow');
  for (const keepSize of [true, false]) {
    const past = file.fallocate(PAGES + 1, PAGES + 2, { keepSize });
    await expect(past).rejects.toMatchObject({ code: 'EPERM', effect: 'none' });
  }
});

describe('row 21: ftruncate of memory whose size is fixed', () => {
  it('a device region → EINVAL, larger or smaller', async () => {
    const device = vfioDevice({ bars: [{ pfn: 16, pages: 2 * PAGES }] });
    const memfile = createMemfile({ plugins: [device] });
    const file = memfile.createFile('vfio-device', { size: PAGES, region: 0 });
    for (const pages of [0, PAGES - 1, PAGES + 1]) {
      await expect(file.truncate(pages)).rejects.toMatchObject({ code: 'EINVAL' });
    }
    expect(file.populated()).toEqual([{ start: 0, end: PAGES }]);
  });
});

it('row 23: after a punch the page reads 0 and the others what they held; writing works', async () => {
  const { file } = setUp();
  await file.fallocate(0, PAGES);
  await fill(file, 0xaa);
  expect(await firstBytes(file)).toEqual([0xaa, 0xaa, 0xaa, 0xaa]);
  await file.punchHole(0, 1);
  await file.fallocate(0, 1);
  expect(await firstBytes(file)).toEqual([0, 0xaa, 0xaa, 0xaa]);
  await fill(file, 0xbb);
  expect(await firstBytes(file)).toEqual([0xbb, 0xbb, 0xbb, 0xbb]);
});

it('row 24: nothing is found past the end, and what is inside keeps its contents', async () => {
  const { file } = setUp();
  await file.fallocate(0, PAGES);
  await fill(file, 0xaa);
  const registration = await file.register({});
  expect(() => registration.lookup(PAGES)).toThrow(/^ENOENT/);
  const fault = file.fallocate(PAGES, PAGES + 1, { reason: 'fault' });
  await expect(fault).rejects.toMatchObject({ code: 'EFAULT' });
  expect(file.pages).toBe(PAGES);
  expect(await firstBytes(file)).toEqual([0xaa, 0xaa, 0xaa, 0xaa]);
});

it('row 27: the host writes 0xaa, the guest reads it and writes 0xff, the host reads 0xff', async () => {
  const { file } = setUp();
  await file.fallocate(0, PAGES);
  const host = await file.register({ name: 'host' });
  const guest = await file.register({ name: 'guest' }, { range: { start: 1, end: 3 } });
  using ofHost = host.lookup(2);
  ofHost.bytes().fill(0xaa);
  {
    using ofGuest = guest.lookup(2);
    expect(new Set(ofGuest.bytes())).toEqual(new Set([0xaa]));
    ofGuest.bytes().fill(0xff);
  }
  expect(new Set(ofHost.bytes())).toEqual(new Set([0xff]));
  expect(await firstBytes(file)).toEqual([0, 0, 0xff, 0]);
});
