import { describe, expect, it } from 'vitest';
import { createMemfile, MemoryJournal, type JournalEvent } from '../../core/index.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { prefix } from '../plugins/reopening.js';

const created = (store: string, pages: number): JournalEvent => ({
  type: 'createFile',
  file: 1,
  name: 'ram',
  store,
  pages,
  flags: [],
  seals: [],
  options: {},
});

const journalOf = (...events: readonly JournalEvent[]): MemoryJournal => {
  const journal = new MemoryJournal();
  for (const event of events) journal.append(event);
  return journal;
};

const all = { file: 1, operation: 2, start: 0, end: 4 } as const;
const arrived = { type: 'fallocate', file: 1, operation: 1, reason: 'fallocate' } as const;

describe('going on with a journal', () => {
  it('quarantines what a consumer failed to let go, and not what stayed', () => {
    const journal = journalOf(
      created('shmem', 4),
      { ...arrived, start: 0, end: 4, pfn: 1 },
      { type: 'register', file: 1, registration: 1, name: 'stuck', start: 0, end: 4 },
      { type: 'invalidate', ...all, reason: 'punch' },
      {
        type: 'failure',
        file: 1,
        operation: 2,
        registration: 1,
        callback: 'invalidate',
        message: '',
      },
      { type: 'kept', file: 1, operation: 2, start: 1, end: 3 },
    );
    const { state } = createMemfile({ plugins: [shmem()], journal });
    const { files, quarantined } = state.toJSON();
    expect(files[0]!.frames).toEqual([[1, 3, 2]]);
    expect(quarantined.map(({ start, end, pfn }) => [start, end, pfn])).toEqual([
      [0, 1, 1],
      [3, 4, 4],
    ]);
  });

  it("hands out every frame that is nobody's, and no other", async () => {
    const journal = journalOf(
      created('shmem', 10),
      { ...arrived, start: 0, end: 3, pfn: 4 },
      { ...arrived, start: 3, end: 5, pfn: 8 },
    );
    const memfile = createMemfile({ plugins: [shmem({ quota: 10 })], journal });
    await memfile.files.get(1)!.fallocate(0, 10);
    const frames = memfile.state
      .toJSON()
      .files[0]!.frames.flatMap(([start, end, pfn]) =>
        Array.from({ length: end - start }, (_, i) => pfn + i),
      );
    expect(frames.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('keeps the rest of a huge page of which only a part was to be punched', async () => {
    const journal = journalOf(
      { type: 'plugin', plugin: 'hugetlb', name: 'pool', data: POOL },
      created('hugetlb', 1024),
      { ...arrived, start: 0, end: 1024, pfn: 512 },
      { type: 'invalidate', ...all, end: 600, reason: 'punch' },
    );
    const store = hugetlb();
    const memfile = createMemfile({ plugins: [store], journal });
    expect(memfile.files.get(1)!.populated()).toEqual([{ start: 512, end: 1024 }]);
    expect(store.poolCounters()).toEqual({ total: 2, free: 1, reserved: 0, surplus: 0 });
    await memfile.files.get(1)!.fallocate(0, 1024);
    expect(store.poolCounters()).toEqual({ total: 2, free: 0, reserved: 0, surplus: 0 });
  });

  it('leaks a huge page of which a part cannot be trusted, and names that part, live or after', async () => {
    const journal = new MemoryJournal();
    const store = hugetlb({ pool: 2 });
    const memfile = createMemfile({ plugins: [store], journal });
    const ram = memfile.createFile('hugetlb', { size: 512 });
    let fails = true;
    await ram.register({
      name: 'stuck',
      invalidate: () => {
        if (fails) throw new Error('it did not let go');
      },
    });
    await ram.fallocate(0, 512);
    // Less than a huge page leaves nothing: its pages stay, and some of them are not to be trusted.
    await ram.punchHole(0, 100).catch(() => {});
    expect(memfile.state.toJSON()).toMatchObject({
      quarantined: [],
      files: [{ untrusted: [{ start: 0, end: 100, consumer: 'stuck' }] }],
    });
    fails = false;
    const cut = prefix(journal);
    await ram.punchHole(0, 512);
    const begun = [...journal.read(cut.position + 1)][0]!;
    expect(begun.type).toBe('invalidate');
    cut.append({ type: 'invalidate', file: 1, operation: 3, start: 0, end: 512, reason: 'punch' });
    const again = hugetlb();
    const after = createMemfile({ plugins: [again], journal: cut });
    for (const [{ state }, pool] of [
      [memfile, store],
      [after, again],
    ] as const) {
      const { files, quarantined } = state.toJSON();
      expect(files[0]).toMatchObject({ populated: [], untrusted: [] });
      // What somebody may still use is a part of the frame; no other can have the rest of it.
      expect(quarantined).toEqual([{ store: 'hugetlb', file: 1, start: 0, end: 100, pfn: 512 }]);
      expect(pool.poolCounters()).toEqual({ total: 2, free: 1, reserved: 0, surplus: 0 });
    }
    await after.files.get(1)!.fallocate(0, 512);
    expect(after.state.toJSON().files[0]!.frames).toEqual([[0, 512, 1024]]);
  });

  it('counts leases of a huge page by any of its pages, and keeps a leaked one when they are put', () => {
    const store = hugetlb({ pool: 3 });
    const spec = {
      id: 1,
      name: 'ram',
      pages: 1024,
      flags: [],
      options: {},
      reopened: true,
    } as const;
    const file = store.createFile(spec);
    const host = {
      invalidate: () => Promise.resolve(),
      fallocate: () => Promise.resolve(),
      quarantined: () => [],
    };
    const lease = { order: 9, count: 1 };
    file.attach!(host, {
      frames: [],
      leased: [
        { ...lease, pfn: 513, count: 2 },
        { ...lease, pfn: 700 },
        { ...lease, pfn: 1030 },
      ],
      quarantined: [{ start: 0, end: 1, pfn: 1024 }],
    });
    const free = (): number => store.poolCounters().free;
    const left = [513, 700, 513, 1030].map((pfn) => {
      file.putUnlockPfn(pfn);
      return free();
    });
    // Frame 1 comes back with the last of its three leases, frame 2 is leaked and does not.
    expect(left).toEqual([1, 1, 2, 2]);
    expect(() => file.putUnlockPfn(513)).toThrow('EINVAL');
  });

  it('refuses huge pages of another size', () => {
    const journal = journalOf({ type: 'plugin', plugin: 'hugetlb', name: 'pool', data: POOL });
    const compose = () => createMemfile({ plugins: [hugetlb({ pageSize: '1G' })], journal });
    expect(compose).toThrow(/EINVAL.*huge pages of 2M, not 1G/);
  });
});

const POOL = { pageSize: '2M', total: 2, free: 0, reserved: 0, surplus: 0 };
