import { describe, expect, it } from 'vitest';
import {
  KVM_MEM,
  KvmVm,
  MAX_SLOTS,
  MEMORY_ATTRIBUTE_PRIVATE,
  newFault,
  step,
  type UserMemoryRegion,
} from '../../adapters/kvm/index.js';
import { createMemfile, PAGE_SIZE, type MemoryFile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { allSettled, isPending } from './waiting.js';

const setUp = (pages = 16) => {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: pages, name: 'gmem' });
  const other = memfile.createFile('shmem', { size: pages, name: 'ram' });
  return { memfile, file, other, vm: new KvmVm() };
};

const fails = (code: string) => expect.objectContaining({ name: 'MemfileError', code });

/** A slot over a file; places and sizes in pages. */
const over = (
  file: MemoryFile,
  slot: number,
  gfn: number,
  pages: number,
  offset: number,
): UserMemoryRegion => ({
  slot,
  flags: KVM_MEM.GUEST_MEMFD,
  guestPhysAddr: gfn * PAGE_SIZE,
  memorySize: pages * PAGE_SIZE,
  guestMemfd: file,
  guestMemfdOffset: offset * PAGE_SIZE,
});

/** A slot over a mapping. */
const mapped = (file: MemoryFile, slot: number, gfn: number, pages: number, offset: number) => ({
  slot,
  gfn,
  pages,
  pieces: [{ gfn, pages, file, offset }],
});

const untouched = (vm: KvmVm, ...files: MemoryFile[]): void => {
  expect(vm.slots.size).toBe(0);
  for (const file of files) expect(file.registrations).toBe(0);
};

describe('row 28', () => {
  it.each([1, 2048, 4095, 4097, -4096, 0.5, NaN])(
    'row 28: offset %s in the file is EINVAL',
    async (guestMemfdOffset) => {
      const { file, vm } = setUp();
      const region = { ...over(file, 0, 0, 4, 0), guestMemfdOffset };
      await expect(vm.setUserMemoryRegion2(region)).rejects.toEqual(fails('EINVAL'));
      untouched(vm, file);
    },
  );

  it('row 28: pages past the end of the file are EINVAL, the last ones are not', async () => {
    const { file, vm } = setUp(16);
    await expect(vm.setUserMemoryRegion2(over(file, 0, 0, 4, 13))).rejects.toEqual(fails('EINVAL'));
    untouched(vm, file);
    await vm.setUserMemoryRegion2(over(file, 0, 0, 4, 12));
  });

  it('row 28: a file that is closed, or none, is EBADF', async () => {
    const { file, vm } = setUp();
    await file.close();
    const region = over(file, 0, 0, 4, 0);
    await expect(vm.setUserMemoryRegion2(region)).rejects.toEqual(fails('EBADF'));
    const none = { ...region, guestMemfd: undefined };
    await expect(vm.setUserMemoryRegion2(none)).rejects.toEqual(fails('EBADF'));
  });
});

describe('row 29', () => {
  it('row 29: overlapping bindings of one file, or overlapping guest pages, are EEXIST', async () => {
    const { file, other, vm } = setUp();
    await vm.setUserMemoryRegion2(over(file, 0, 0, 2, 0));
    await vm.setUserMemoryRegion2(over(file, 1, 2, 2, 2));
    await vm.setUserMemoryRegion2({ ...over(file, 0, 0, 0, 0) });
    for (const offset of [1, 3]) {
      const region = over(file, 0, 10, 2, offset);
      await expect(vm.setUserMemoryRegion2(region)).rejects.toEqual(fails('EEXIST'));
    }
    for (const gfn of [1, 3]) {
      const region = over(file, 0, gfn, 2, 0);
      await expect(vm.setUserMemoryRegion2(region)).rejects.toEqual(fails('EEXIST'));
    }
    expect([...vm.slots].map(({ slot }) => slot)).toEqual([1]);
    expect(file.registrations).toBe(1);
    // The same pages of another file, and of the same file in another VM, are nobody's concern.
    await vm.setUserMemoryRegion2(over(other, 0, 10, 2, 1));
    await new KvmVm().setUserMemoryRegion2(over(file, 0, 0, 4, 0));
  });

  it('row 29: slots over mappings may have the same pages, not the same guest pages', async () => {
    const { other, vm } = setUp();
    await vm.setMemslot(mapped(other, 0, 0, 4, 0));
    await vm.setMemslot(mapped(other, 1, 4, 4, 0));
    await expect(vm.setMemslot(mapped(other, 2, 3, 1, 8))).rejects.toEqual(fails('EEXIST'));
    await expect(vm.setMemslot(mapped(other, 1, 2, 4, 0))).rejects.toEqual(fails('EEXIST'));
    expect(vm.slots.get(1)?.gfn).toBe(4);
  });
});

describe('row 30', () => {
  it.each([
    ['LOG_DIRTY_PAGES with GUEST_MEMFD', 5, 2],
    ['READONLY with GUEST_MEMFD', 6, 2],
    ['GUEST_MEMFD through version 1', 4, 1],
    ['an unknown bit through version 1', 8, 1],
    ['an unknown bit through version 2', 8, 2],
    ['a bit above 32', 2 ** 32, 2],
    ['a negative number', -1, 2],
  ] as const)('row 30: %s is EINVAL', async (_, flags, version) => {
    const { file, vm } = setUp();
    const region = { ...over(file, 0, 0, 4, 0), flags };
    const set = version === 1 ? vm.setUserMemoryRegion(region) : vm.setUserMemoryRegion2(region);
    await expect(set).rejects.toEqual(fails('EINVAL'));
    untouched(vm, file);
  });

  it('row 30: what each version knows is taken', async () => {
    const { file, vm } = setUp();
    for (const flags of [0, 1, 2, 3]) {
      const region = { ...over(file, flags, flags * 4, 4, 0), flags };
      await vm.setUserMemoryRegion(region);
    }
    await vm.setUserMemoryRegion2(over(file, 4, 16, 4, 0));
    expect(vm.slots.size).toBe(5);
  });

  it.each([
    ['memorySize', 4095],
    ['memorySize', 2 ** 43],
    ['guestPhysAddr', 1],
    ['guestPhysAddr', 2 ** 64 - 4096],
    ['guestPhysAddr', 2 ** 64],
    ['guestPhysAddr', -4096],
    ['userspaceAddr', 123],
    ['guestMemfdOffset', 2 ** 64 - 4096],
  ])('row 30: %s %s is EINVAL', async (name, bytes) => {
    const { file, vm } = setUp();
    const region = { ...over(file, 0, 0, 4, 0), [name]: bytes };
    await expect(vm.setUserMemoryRegion2(region)).rejects.toEqual(fails('EINVAL'));
    untouched(vm, file);
  });

  it('row 30: a slot over a file is immutable, of others the size and the right to write', async () => {
    const { file, other, vm } = setUp();
    await vm.setUserMemoryRegion2(over(file, 0, 0, 4, 0));
    for (const region of [over(file, 0, 0, 4, 0), over(file, 0, 8, 4, 0), over(file, 0, 0, 2, 0)]) {
      await expect(vm.setUserMemoryRegion2(region)).rejects.toEqual(fails('EINVAL'));
    }
    await expect(vm.setMemslot(mapped(other, 0, 0, 4, 0))).rejects.toEqual(fails('EINVAL'));
    await vm.setUserMemoryRegion({ slot: 1, guestPhysAddr: 0x10000, memorySize: 0x4000 });
    for (const change of [{ memorySize: 0x5000 }, { flags: 2 }, { userspaceAddr: 0x1000 }]) {
      const region = { slot: 1, guestPhysAddr: 0x10000, memorySize: 0x4000, ...change };
      await expect(vm.setUserMemoryRegion(region)).rejects.toEqual(fails('EINVAL'));
    }
    await vm.setUserMemoryRegion({ slot: 1, guestPhysAddr: 0x20000, memorySize: 0x4000, flags: 1 });
    expect(vm.slots.get(1)).toMatchObject({ gfn: 0x20, logDirty: true });
  });

  it('row 30: userspaceAddr says which mappings lie behind a slot', async () => {
    const { other } = setUp();
    const memory = {
      resolve: (address: number, length: number) => [
        { address: address + PAGE_SIZE, length: length - PAGE_SIZE, file: other, offset: 0x3000 },
      ],
    };
    const vm = new KvmVm({ memory });
    const region = { slot: 0, guestPhysAddr: 0x8000, memorySize: 0x4000, userspaceAddr: 0x700000 };
    await vm.setUserMemoryRegion(region);
    await vm.fault(9);
    expect(other.populated()).toEqual([{ start: 3, end: 4 }]);
    expect(await vm.fault(8)).toMatchObject({ type: 'memory-fault', code: 'EFAULT', flags: 0 });
  });
});

describe('row 31', () => {
  it('row 31: slots 0 to the last are taken, the one after it is EINVAL', async () => {
    const vm = new KvmVm({ maxSlots: 40 });
    for (let slot = 0; slot < 40; slot++) await vm.setMemslot({ slot, gfn: slot, pages: 1 });
    const last = vm.setMemslot({ slot: 40, gfn: 40, pages: 1 });
    await expect(last).rejects.toEqual(fails('EINVAL'));
    expect([...vm.slots].map(({ slot }) => slot)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  it('row 31: a VM has as many slots as KVM says', async () => {
    const vm = new KvmVm();
    await vm.setMemslot({ slot: MAX_SLOTS - 1, gfn: 0, pages: 1 });
    for (const slot of [MAX_SLOTS, 65_536, -1, 1.5]) {
      await expect(vm.setMemslot({ slot, gfn: 1, pages: 1 })).rejects.toEqual(fails('EINVAL'));
    }
  });
});

describe('row 32', () => {
  it('row 32: after its slot is deleted a page is MMIO; created anew over a punched file, it is empty', async () => {
    const { other, vm } = setUp();
    await vm.setMemslot(mapped(other, 0, 0, 4, 0));
    await vm.fault(1, { write: true });
    const registration = await other.register({});
    registration.lookup(1).bytes()[0] = 0xaa;
    await vm.setMemslot({ slot: 0, gfn: 0, pages: 0 });
    expect(await vm.fault(1)).toEqual({ type: 'mmio', gpa: PAGE_SIZE });
    expect(vm.stage2.pages).toBe(0);
    await other.punchHole(0, 4);
    await vm.setMemslot(mapped(other, 0, 0, 4, 0));
    expect(await vm.fault(1)).toMatchObject({ type: 'mapped', spurious: false });
    using lease = registration.lookup(1);
    expect(vm.stage2.get(1)).toBe(lease.pfn);
    expect(lease.bytes()[0]).toBe(0);
  });

  it('row 32: deleting a slot that is not there is EINVAL', async () => {
    const { vm } = setUp();
    const region = { slot: 0, guestPhysAddr: 0, memorySize: 0 };
    await expect(vm.setUserMemoryRegion(region)).rejects.toEqual(fails('EINVAL'));
  });
});

describe('row 33', () => {
  it('row 33: while a slot moves by a page, no step of a fault maps the wrong page', async () => {
    for (let stop = 0; stop <= 8; stop++) {
      const { other, vm } = setUp();
      await other.fallocate(0, 16);
      const registration = await other.register({});
      const frame = (page: number): number => {
        using lease = registration.lookup(page);
        return lease.pfn;
      };
      await vm.setMemslot(mapped(other, 0, 8, 4, 0));
      const fault = newFault(8);
      for (let i = 0; i < stop && fault.next !== 'done'; i++) step(vm, fault);
      const moved = vm.setMemslot(mapped(other, 0, 7, 4, 0));
      await allSettled();
      for (let i = 0; fault.next !== 'done'; i++) {
        expect(i).toBeLessThan(40);
        step(vm, fault);
        await allSettled();
        // Guest page 8 is page 0 before the move and page 1 after it.
        const allowed = [frame(0), frame(1), -1];
        expect(allowed).toContain(vm.stage2.get(8));
      }
      await moved;
      expect([-1, frame(1)]).toContain(vm.stage2.get(8));
      await vm.fault(8);
      expect(vm.stage2.get(8)).toBe(frame(1));
    }
  });
});

describe('row 34', () => {
  it('row 34: a file may be closed while its slot lives; its faults are EFAULT then', async () => {
    const { file, vm } = setUp();
    await vm.setUserMemoryRegion2(over(file, 0, 0, 4, 0));
    await vm.setMemoryAttributes({
      address: 0,
      size: 4 * PAGE_SIZE,
      attributes: MEMORY_ATTRIBUTE_PRIVATE,
    });
    expect(await vm.fault(1, { private: true })).toMatchObject({ type: 'mapped' });
    await file.close();
    expect(vm.stage2.pages).toBe(0);
    expect(await vm.fault(1, { private: true })).toEqual({
      type: 'memory-fault',
      code: 'EFAULT',
      errno: -14,
      gpa: PAGE_SIZE,
      size: PAGE_SIZE,
      flags: 8,
    });
    await vm.setMemslot({ slot: 0, gfn: 0, pages: 0 });
    // The attribute was the file's: without the slot, nothing is private.
    expect(await vm.fault(1)).toMatchObject({ type: 'mmio' });
  });
});

describe('row 54', () => {
  it('row 54: a VM that is torn down amid a fault frees nothing until the fault is over', async () => {
    const { other, vm } = setUp();
    await other.fallocate(0, 4);
    await vm.setMemslot(mapped(other, 0, 0, 4, 0));
    await vm.fault(0);
    const fault = newFault(1);
    for (let i = 0; i < 5; i++) step(vm, fault);
    expect(fault.lease).toBeDefined();
    const gone = vm[Symbol.asyncDispose]();
    expect(await isPending(gone)).toBe(true);
    expect({ registrations: other.registrations, mapped: vm.stage2.pages }).toEqual({
      registrations: 1,
      mapped: 1,
    });
    while (fault.next !== 'done') step(vm, fault);
    await gone;
    expect({ registrations: other.registrations, mapped: vm.stage2.pages }).toEqual({
      registrations: 0,
      mapped: 0,
    });
    expect(vm.srcu.readers).toBe(0);
  });

  it('row 54: so does the deletion of a slot; faults that come since are not waited for', async () => {
    const { other, vm } = setUp();
    await other.fallocate(0, 4);
    await vm.setMemslot(mapped(other, 0, 0, 4, 0));
    const fault = newFault(1);
    for (let i = 0; i < 5; i++) step(vm, fault);
    const deleted = vm.setMemslot({ slot: 0, gfn: 0, pages: 0 });
    await allSettled();
    const late = newFault(2);
    for (let i = 0; i < 3; i++) step(vm, late);
    expect(late).toMatchObject({ next: 'retry', obstacle: 'slot' });
    for (let i = 0; i < 2; i++) step(vm, late); // It comes again, and is inside its section.
    while (fault.next !== 'done') step(vm, fault);
    await deleted;
    expect(vm.stage2.pages).toBe(0);
    while (late.next !== 'done') step(vm, late);
    expect(late.exit).toMatchObject({ type: 'mmio' });
  });
});
