import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Invalidations,
  KVM_MEM,
  KvmVm,
  MEMORY_ATTRIBUTE_PRIVATE,
  newFault,
  step,
  type Fault,
} from '../../adapters/kvm/index.js';
import {
  createMemfile,
  MemfileError,
  PAGE_SIZE,
  Scheduler,
  type BackingStore,
  type MemoryFile,
} from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { allSettled, gate } from './waiting.js';

const MEBIBYTE = 2 ** 20;

const setUp = (pages = 16, vm = new KvmVm()) => {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: pages, name: 'ram' });
  return { memfile, file, vm };
};

const slot = (file: MemoryFile, gfn: number, pages: number, offset = 0, number = 0) => ({
  slot: number,
  gfn,
  pages,
  pieces: [{ gfn, pages, file, offset }],
});

const over = (file: MemoryFile, pages: number) => ({
  slot: 0,
  flags: KVM_MEM.GUEST_MEMFD,
  guestPhysAddr: 0,
  memorySize: pages * PAGE_SIZE,
  guestMemfd: file,
});

const convert = (vm: KvmVm, gfn: number, pages: number, isPrivate: boolean) =>
  vm.setMemoryAttributes({
    address: gfn * PAGE_SIZE,
    size: pages * PAGE_SIZE,
    attributes: isPrivate ? MEMORY_ATTRIBUTE_PRIVATE : 0,
  });

const fails = (code: string) => expect.objectContaining({ name: 'MemfileError', code });

const memoryFault = (gfn: number, flags: number) => ({
  type: 'memory-fault',
  code: 'EFAULT',
  errno: -14,
  gpa: gfn * PAGE_SIZE,
  size: PAGE_SIZE,
  flags,
});

/** Steps until the fault waits for somebody or is over. */
const go = (vm: KvmVm, fault: Fault): void => {
  do step(vm, fault);
  while (!['populate', 'retry', 'done'].includes(fault.next));
};

/** Suspends a change of slots or attributes where a test wants it. */
class OneByOne extends Scheduler {
  readonly suspended: Array<() => void> = [];

  schedule(): Promise<void> {
    return new Promise((resolve) => this.suspended.push(resolve));
  }

  async next(): Promise<void> {
    this.suspended.shift()?.();
    await allSettled();
  }
}

describe('rows 35 to 37', () => {
  it('row 35: a private access in a slot without a file is a memory fault', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file, 0, 4));
    await convert(vm, 0, 4, true);
    expect(await vm.fault(2, { private: true })).toEqual(memoryFault(2, 8));
    expect(file.populated()).toEqual([]);
  });

  it('row 36: a private access where the slot was deleted is one too', async () => {
    const { file, vm } = setUp();
    await vm.setUserMemoryRegion2(over(file, 4));
    await convert(vm, 0, 4, true);
    await vm.fault(2, { private: true });
    await vm.setMemslot({ slot: 0, gfn: 0, pages: 0 });
    expect(await vm.fault(2, { private: true })).toEqual(memoryFault(2, 8));
  });

  it('row 37: a shared access to a private page is one without flags; shared again, it maps', async () => {
    const { file, vm } = setUp();
    await vm.setUserMemoryRegion2(over(file, 4));
    await convert(vm, 0, 4, true);
    expect(await vm.fault(2)).toEqual(memoryFault(2, 0));
    await convert(vm, 0, 4, false);
    expect(await vm.fault(2)).toMatchObject({ type: 'mapped', level: 1 });
    expect(await vm.fault(2, { private: true })).toEqual(memoryFault(2, 8));
  });

  it('row 37: one slot has both: shared accesses go to the mapping, private ones to the file', async () => {
    const { memfile, file, vm } = setUp();
    const gmem = memfile.createFile('shmem', { size: 4 });
    const guestMemfd = { file: gmem, offset: 0 };
    await vm.setMemslot({ ...slot(file, 0, 4, 8), guestMemfd });
    await convert(vm, 1, 1, true);
    await vm.fault(0);
    await vm.fault(1, { private: true });
    expect([file.populated(), gmem.populated()]).toEqual([
      [{ start: 8, end: 9 }],
      [{ start: 1, end: 2 }],
    ]);
    // A punch of one takes nothing away that is of the other.
    await file.punchHole(9, 10);
    expect(vm.stage2.pages).toBe(2);
    await gmem.punchHole(0, 4);
    expect(vm.stage2.mappings()).toMatchObject([{ start: 0, end: 1, private: false }]);
  });

  it('row 37: no stop of a fault lets it map with the attribute that was', async () => {
    for (let stop = 0; stop <= 7; stop++) {
      for (let phase = 0; phase < 3; phase++) {
        const scheduler = new OneByOne();
        const { file, vm } = setUp(16, new KvmVm({ scheduler }));
        await vm.setMemslot({ ...slot(file, 0, 4), guestMemfd: { file, offset: 8 } });
        await file.fallocate(0, 4);
        const fault = newFault(2);
        for (let i = 0; i < stop; i++) step(vm, fault);
        const converted = convert(vm, 0, 4, true);
        await allSettled();
        for (let i = 0; i < phase; i++) await scheduler.next();
        for (let i = 0; i < 4 && fault.next !== 'done'; i++) go(vm, fault);
        for (let i = 0; i < 3; i++) await scheduler.next();
        await converted;
        for (let i = 0; i < 4 && fault.next !== 'done'; i++) go(vm, fault);
        expect(vm.stage2.pages).toBe(0);
        expect(fault.next).toBe('done');
      }
    }
  });
});

describe('rows 37 and 47, where the file owns the attribute', () => {
  it('row 37: no stop of a fault lets it map with the attribute that was', async () => {
    let refused = 0;
    for (let stop = 0; stop <= 7; stop++) {
      const { file, vm } = setUp(16);
      await vm.setUserMemoryRegion2(over(file, 4));
      await file.fallocate(0, 4);
      const fault = newFault(2);
      for (let i = 0; i < stop; i++) step(vm, fault);
      const { lease } = fault;
      const done = await convert(vm, 0, 4, true).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'EAGAIN', refused: { page: 2 } });
          return false;
        },
      );
      expect(done).toBe(lease === undefined);
      if (!done) refused++;
      for (let i = 0; i < 12 && fault.next !== 'done'; i++) go(vm, fault);
      expect(fault.next).toBe('done');
      // What was mapped when it was refused is zapped all the same, and faulted in again.
      expect(vm.stage2.pages).toBe(done || stop === 7 ? 0 : 1);
    }
    expect(refused).toBe(3); // Between the lookup and the release.
  });
});

describe('row 38', () => {
  const good = { address: 0, size: 4 * PAGE_SIZE, attributes: MEMORY_ATTRIBUTE_PRIVATE };

  it.each([
    ['flags 1', { flags: 1 }],
    ['attribute 1 << 0', { attributes: 1 }],
    ['attribute 1 << 3 with another', { attributes: 9 }],
    ['size 0', { size: 0 }],
    ['an address that is not aligned', { address: 1 }],
    ['a size that is not aligned', { size: 4097 }],
    ['a range that wraps', { address: 2 ** 64 - 4096, size: 8192 }],
    ['a range that ends where it wraps', { address: 2 ** 64 - 4096, size: 4096 }],
    ['a negative address', { address: -4096 }],
    ['no number', { size: NaN }],
  ])('row 38: %s is EINVAL', async (_, wrong) => {
    const { vm } = setUp();
    await expect(vm.setMemoryAttributes({ ...good, ...wrong })).rejects.toEqual(fails('EINVAL'));
    expect(vm.attributes.privateRanges()).toEqual([]);
    expect(vm.invalidations.snapshot()).toBe(0);
  });

  it('row 38: the same value again zaps nothing', async () => {
    const { file, vm } = setUp();
    await vm.setUserMemoryRegion2(over(file, 4));
    await convert(vm, 0, 4, false);
    expect(vm.invalidations.snapshot()).toBe(0);
    await vm.setMemoryAttributes(good);
    await vm.fault(1, { private: true });
    await vm.setMemoryAttributes(good);
    await convert(vm, 1, 2, true);
    expect(vm.invalidations.snapshot()).toBe(1);
    expect(vm.stage2.pages).toBe(1);
    await convert(vm, 3, 2, true); // Page 4 was shared.
    expect(vm.invalidations.snapshot()).toBe(2);
    expect(vm.attributes.privateRanges()).toEqual([{ start: 0, end: 5 }]);
  });
});

describe('rows 39 and 40', () => {
  /** Calls again until all is mapped or a call fails, as the self-test of KVM does. */
  const prefaultAll = async (vm: KvmVm, gpa: number, size: number) => {
    let left = { gpa, size };
    for (;;) {
      const before = left.size;
      let code: string | undefined;
      try {
        left = await vm.prefault(left);
      } catch (error) {
        ({ code } = error as MemfileError);
      }
      // Row 40: it fails or it got on, never both and never neither.
      expect(left.size < before).toBe(code === undefined);
      if (code !== undefined || left.size === 0) return { left: left.size, code };
    }
  };

  it('row 39: prefault maps all there is, and says ENOENT at the end of the slot', async () => {
    const pages = (2 * MEBIBYTE) / PAGE_SIZE + 1;
    const { file, vm } = setUp(pages);
    await vm.setMemslot(slot(file, 0, pages));
    expect(await prefaultAll(vm, 0, 2 * MEBIBYTE)).toEqual({ left: 0, code: undefined });
    expect(vm.stage2.pages).toBe(512);
    const tail = await prefaultAll(vm, 2 * MEBIBYTE, 2 * PAGE_SIZE);
    expect(tail).toEqual({ left: PAGE_SIZE, code: 'ENOENT' });
    const end = await prefaultAll(vm, pages * PAGE_SIZE, PAGE_SIZE);
    expect(end).toEqual({ left: PAGE_SIZE, code: 'ENOENT' });
  });

  it.each([
    ['size 0', { size: 0 }],
    ['flags', { flags: 1 }],
    ['a gpa that is not aligned', { gpa: 1 }],
    ['a size that is not aligned', { size: 1 }],
    ['a range that wraps', { gpa: 2 ** 64 - 4096, size: 8192 }],
  ])('row 40: %s is EINVAL', async (_, wrong) => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file, 0, 4));
    const range = { gpa: 0, size: PAGE_SIZE, ...wrong };
    await expect(vm.prefault(range)).rejects.toEqual(fails('EINVAL'));
    expect(vm.stage2.pages).toBe(0);
  });

  it('row 40: amid the deletion of the slot it is EAGAIN, after it ENOENT, anew it completes', async () => {
    const scheduler = new OneByOne();
    const { file, vm } = setUp(16, new KvmVm({ scheduler }));
    await vm.setMemslot(slot(file, 0, 4));
    const deleted = vm.setMemslot({ slot: 0, gfn: 0, pages: 0 });
    await allSettled();
    expect(await prefaultAll(vm, 0, 2 * PAGE_SIZE)).toEqual({ left: 8192, code: 'EAGAIN' });
    for (let i = 0; i < 2; i++) await scheduler.next();
    await deleted;
    expect(await prefaultAll(vm, 0, 2 * PAGE_SIZE)).toEqual({ left: 8192, code: 'ENOENT' });
    await vm.setMemslot(slot(file, 0, 4));
    expect(await prefaultAll(vm, 0, 2 * PAGE_SIZE)).toEqual({ left: 0, code: undefined });
  });

  it('row 40: a signal is EINTR when nothing was done, and ends it early otherwise', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file, 0, 4));
    const range = { gpa: 0, size: 4 * PAGE_SIZE };
    const early = vm.prefault(range, { signal: AbortSignal.abort() });
    await expect(early).rejects.toEqual(fails('EINTR'));
    const stop = new AbortController();
    await file.register({ fallocate: (start) => void (start === 1 && stop.abort()) });
    const left = await vm.prefault(range, { signal: stop.signal });
    expect(left).toEqual({ gpa: 2 * PAGE_SIZE, size: 2 * PAGE_SIZE });
  });

  it('row 40: it maps with the attribute that pages have, and fails as a fault', async () => {
    const { file, vm } = setUp();
    await vm.setUserMemoryRegion2(over(file, 4));
    await convert(vm, 0, 4, true);
    expect(await vm.prefault({ gpa: 0, size: PAGE_SIZE })).toEqual({ gpa: PAGE_SIZE, size: 0 });
    expect(vm.stage2.isPrivate(0)).toBe(true);
    await file.close();
    await expect(vm.prefault({ gpa: 0, size: PAGE_SIZE })).rejects.toEqual(fails('EFAULT'));
  });
});

describe('row 41', () => {
  it('row 41: a poisoned page is a memory fault with EHWPOISON, its neighbours map', async () => {
    const inner = shmem();
    const store: BackingStore<'poisoned'> = {
      name: 'poisoned',
      createFile: (spec) => {
        const file = inner.createFile(spec);
        return {
          allocate: (start, end) => file.allocate(start, end),
          free: (start, end) => file.free(start, end),
          putUnlockPfn: (pfn) => file.putUnlockPfn(pfn),
          getLockPfn: (offset) => {
            if (offset === 5) throw new MemfileError('EHWPOISON', 'getLockPfn', 'page 5');
            return file.getLockPfn(offset);
          },
        };
      },
    };
    const memfile = createMemfile({ plugins: [store] });
    const file = memfile.createFile('poisoned', { size: 16 });
    const vm = new KvmVm();
    await vm.setMemslot(slot(file, 0, 16));
    expect(await vm.fault(4)).toMatchObject({ type: 'mapped' });
    expect(await vm.fault(5)).toEqual({ ...memoryFault(5, 0), code: 'EHWPOISON', errno: -133 });
    expect(vm.srcu.readers).toBe(0);
    await expect(vm.prefault({ gpa: 5 * 4096, size: 4096 })).rejects.toEqual(fails('EHWPOISON'));
  });
});

describe('rows 42 to 44', () => {
  it('row 42: a punch between the lookup and the lock makes the fault retry, never map', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file, 0, 4));
    await file.fallocate(0, 4);
    const fault = newFault(2);
    while (fault.next !== 'map') step(vm, fault);
    await file.punchHole(2, 3);
    go(vm, fault);
    expect(fault).toMatchObject({ next: 'retry', obstacle: 'invalidation', exit: undefined });
    expect(vm.stage2.pages).toBe(0);
    go(vm, fault);
    expect(fault.next).toBe('populate');
  });

  it('row 43: a page between two open invalidations retries until both have ended', async () => {
    const { file, vm } = setUp(128);
    await vm.setMemslot(slot(file, 0, 128));
    await file.fallocate(0, 128);
    const [low, high] = [gate(), gate()];
    await file.register({ invalidate: () => low.opened }, { range: { start: 0, end: 4 } });
    await file.register({ invalidate: () => high.opened }, { range: { start: 100, end: 104 } });
    const punches = [file.punchHole(0, 4), file.punchHole(100, 104)];
    const tryPage = (gfn: number): Fault => {
      const fault = newFault(gfn);
      go(vm, fault);
      return fault;
    };
    expect(tryPage(50).next).toBe('retry');
    expect(tryPage(110).next).toBe('done');
    low.open();
    await punches[0];
    expect(tryPage(50).next).toBe('retry'); // The range does not shrink.
    high.open();
    await punches[1];
    expect(tryPage(50)).toMatchObject({ next: 'done', exit: { type: 'mapped' } });
  });

  it('row 43: whatever begins and ends, no page of an open invalidation is ever let through', () => {
    const range = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 20 }));
    const turns = fc.array(fc.oneof(range, fc.nat(9)), { maxLength: 30 });
    fc.assert(
      fc.property(turns, fc.nat(80), (turns, page) => {
        const invalidations = new Invalidations();
        const open: { readonly start: number; readonly end: number }[] = [];
        for (const turn of turns) {
          if (typeof turn === 'number') {
            if (open.length === 0) continue;
            open.splice(turn % open.length, 1);
            invalidations.end();
          } else {
            const [start, length] = turn;
            open.push({ start, end: start + length });
            invalidations.begin(start, start + length);
          }
          const inside = open.some(({ start, end }) => page >= start && page < end);
          const retry = invalidations.retry(invalidations.snapshot(), page, page + 1);
          if (inside) expect(retry).toBe(true);
          if (open.length === 0) expect(retry).toBe(false);
        }
        expect(invalidations.inProgress).toBe(open.length);
      }),
      { seed: 20220118 },
    );
    expect(() => new Invalidations().end()).toThrow('never began');
  });

  it('row 44: an event outside every slot leaves the sequence alone', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file, 0, 4, 4));
    await file.fallocate(0, 16);
    await vm.fault(0);
    await file.punchHole(0, 4);
    await file.punchHole(8, 16);
    expect(vm.invalidations.snapshot()).toBe(0);
    expect(vm.tallies.get(file)?.notifications).toBe(1);
    await file.punchHole(3, 5);
    expect(vm.invalidations.snapshot()).toBe(1);
    expect(vm.stage2.pages).toBe(0);
  });
});
