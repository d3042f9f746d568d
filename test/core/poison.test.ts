import { describe, expect, it } from 'vitest';
import { createMemfile, type Notification } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { vfioDevice } from '../../plugins/vfio-device/index.js';

/** A file of 8 pages, [0, 4) of which are there. */
const setUp = async () => {
  const memfile = createMemfile({ plugins: [shmem({ quota: 8 })] });
  const file = memfile.createFile('shmem', { size: 8, name: 'ram' });
  await file.fallocate(0, 4);
  return { memfile, file };
};

describe('poison', () => {
  it('of no page, a hole, or a closed file is refused and recorded nowhere', async () => {
    const { memfile, file } = await setUp();
    const { position } = memfile.state;
    await expect(file.poison(-1)).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(file.poison(2 ** 51)).rejects.toMatchObject({ code: 'EFBIG' });
    await expect(file.poison(4)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(memfile.state.position).toBe(position);
    await file.close();
    await expect(file.poison(0)).rejects.toMatchObject({ code: 'EBADF' });
  });

  it('of a consumer that fails to let go or to take notice: EIO, and it is poisoned', async () => {
    const { memfile, file } = await setUp();
    const bad = await file.register({ name: 'bad', invalidate: () => Promise.reject(new Error()) });
    await expect(file.poison(0)).rejects.toMatchObject({ code: 'EIO', effect: 'done' });
    await bad.unregister();
    const worse = await file.register({
      error() {
        throw new Error('no');
      },
    });
    await expect(file.poison(1)).rejects.toMatchObject({ code: 'EIO', effect: 'done' });
    expect(file.populated(0, 8, 'both')).toEqual([{ start: 2, end: 4 }]);
    expect(() => worse.lookup(0)).toThrow(expect.objectContaining({ code: 'EHWPOISON' }));
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('is told to every side, once, and ends no stream; contents are nobody’s any more', async () => {
    const { file } = await setUp();
    const seen: string[] = [];
    const next = (told: Notification): void => {
      if (told.type !== 'snapshot') seen.push(`${told.type} ${told.start} ${told.end}`);
    };
    const streams = (['shared', 'private'] as const).map((access) =>
      file.notifications$({ access }).subscribe({ next }),
    );
    const consumer = await file.register({});
    const lease = consumer.lookup(2);
    await file.poison(2);
    await file.poison(2);
    expect(seen).toEqual([
      'invalidate 2 3',
      'invalidate 2 3',
      'invalidateEnd 2 3',
      'invalidateEnd 2 3',
      'error 2 3',
      'error 2 3',
    ]);
    expect(streams.every(({ closed }) => !closed)).toBe(true);
    expect(() => lease.bytes()).toThrow(expect.objectContaining({ code: 'EHWPOISON' }));
    lease.put();
    const late = await file.register({});
    expect(late.snapshot).toEqual([
      { start: 0, end: 2 },
      { start: 3, end: 4 },
    ]);
  });

  it('goes with the frame: the page that comes after a punch is sound, the frame never comes', async () => {
    const { memfile, file } = await setUp();
    const consumer = await file.register({});
    const lease = consumer.lookup(2);
    const { pfn } = lease;
    lease.put();
    await file.poison(2);
    await file.convert(2, 3, 'private');
    expect(file.populated(0, 8, 'private')).toEqual([]);
    await file.punchHole(0, 4);
    expect(memfile.state.quarantined).toMatchObject([{ start: 2, end: 3, pfn }]);
    // Seven frames are left of eight.
    await file.fallocate(0, 7);
    const given = Array.from({ length: 7 }, (_, page) => consumer.lookup(page).pfn);
    expect(given).not.toContain(pfn);
    expect(file.populated(0, 8, 'private')).toEqual([{ start: 2, end: 3 }]);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('a teardown takes poisoned pages away as any others', async () => {
    const { memfile, file } = await setUp();
    await file.poison(0);
    await file.poison(3);
    await memfile[Symbol.asyncDispose]();
    expect(memfile.files.size).toBe(0);
    expect(memfile.state.quarantined).toHaveLength(2);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });

  it('of any page of a larger lease: no contents of it are shown', async () => {
    const contents = new Uint8Array(16 * 4096);
    const device = vfioDevice({ bars: [{ pfn: 0x1000, pages: 16, contents }] });
    const memfile = createMemfile({ plugins: [device] });
    const file = memfile.createFile('vfio-device', { size: 16, region: 0 });
    const consumer = await file.register({});
    const large = consumer.lookup(0);
    expect([large.order, large.bytes().length]).toEqual([4, contents.length]);
    await file.poison(5);
    const bad = { code: 'EHWPOISON', message: expect.stringMatching(/page 5/) };
    expect(() => large.bytes()).toThrow(expect.objectContaining(bad));
    expect(consumer.lookup(0).bytes().length).toBe(4 * 4096);
  });
});
