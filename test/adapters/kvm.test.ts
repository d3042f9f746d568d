import { describe, expect, it } from 'vitest';
import { KvmVm, newFault, step, type MemslotSpec } from '../../adapters/kvm/index.js';
import { createMemfile, type MemoryFile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

const setUp = () => {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: 16, name: 'ram' });
  return { memfile, file, vm: new KvmVm() };
};

const slot = (file: MemoryFile, number = 0, gfn = 100): MemslotSpec => ({
  slot: number,
  gfn,
  pages: 8,
  pieces: [{ gfn, pages: 8, file, offset: 4 }],
});

describe('KVM', () => {
  it('maps on fault, allocating the page, and zaps what an invalidation covers', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    expect(await vm.fault(99)).toBe('mmio');
    for (const gfn of [100, 101, 107]) expect(await vm.fault(gfn)).toBe('mapped');
    expect(file.populated()).toEqual([
      { start: 4, end: 6 },
      { start: 11, end: 12 },
    ]);
    await file.punchHole(0, 5);
    expect(vm.stage2.ranges()).toEqual([
      { start: 101, end: 102 },
      { start: 107, end: 108 },
    ]);
    expect(vm.tallies.get(file)).toEqual({ notifications: 5, zappedPages: 1 });
  });

  it('a fault that is stopped before it maps, and raced by a punch, never maps', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await file.fallocate(4, 12);
    const steps = [];
    for (let stop = 0; stop < 4; stop++) {
      await file.fallocate(4, 12);
      const fault = newFault(103);
      for (let i = 0; i < stop; i++) step(vm, fault);
      await file.punchHole(7, 8);
      while (fault.next !== 'populate' && fault.next !== 'done') step(vm, fault);
      steps.push(fault.outcome);
      expect(vm.stage2.has(103)).toBe(false);
    }
    expect(steps).toEqual(['pending', 'pending', 'pending', 'pending']);
  });

  it('a fault amid an open invalidation does not map, and starts over when it has ended', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await file.fallocate(4, 12);
    let letGo = (): void => {};
    await file.register({ invalidate: () => new Promise<void>((resolve) => (letGo = resolve)) });
    const punch = file.punchHole(4, 8);
    const fault = vm.fault(101);
    expect(vm.stage2.pages).toBe(0);
    letGo();
    await punch;
    expect(await fault).toBe('mapped');
    expect(vm.stage2.get(101)).toBeGreaterThan(0);
  });

  it('a slot whose file is closed faults with a memory fault, not for ever', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await vm.fault(103);
    await file.close();
    expect(vm.stage2.pages).toBe(0);
    expect(await vm.fault(103)).toBe('memory-fault');
  });

  it('deleting a slot zaps it, ends its registration, and its end counts as told', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await vm.fault(103);
    let letGo = (): void => {};
    await file.register({ invalidate: () => new Promise<void>((resolve) => (letGo = resolve)) });
    const punch = file.punchHole(4, 12);
    await vm.setMemslot({ ...slot(file), pages: 0 });
    letGo();
    await punch;
    expect(vm.stage2.pages).toBe(0);
    expect(file.registrations).toBe(1);
    // The invalidation that the slot was told of and left is no longer in progress.
    expect(vm.invalidations.retry(vm.invalidations.snapshot(), 103)).toBe(false);
    await expect(vm.setMemslot({ ...slot(file), pages: 0 })).rejects.toThrow('EINVAL');
  });

  it('a slot that is set again in another place moves; with other flags only, it stays', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await vm.fault(103);
    await vm.setMemslot({ ...slot(file), flags: ['KVM_MEM_LOG_DIRTY_PAGES'] });
    expect(vm.stage2.has(103)).toBe(true);
    expect(vm.slots.get(0)?.flags).toEqual(['KVM_MEM_LOG_DIRTY_PAGES']);
    await vm.setMemslot(slot(file, 0, 200));
    expect(vm.stage2.pages).toBe(0);
    expect(await vm.fault(103)).toBe('mmio');
    expect(await vm.fault(203)).toBe('mapped');
    expect(file.registrations).toBe(1);
  });

  it('a refused piece leaves no registration, nor do two changes at once', async () => {
    const { memfile, file, vm } = setUp();
    const closed = memfile.createFile('shmem', { size: 4 });
    await closed.close();
    const spec = slot(file);
    const pieces = [...spec.pieces, { gfn: 200, pages: 4, file: closed, offset: 0 }];
    await expect(vm.setMemslot({ ...spec, pieces })).rejects.toThrow('EBADF');
    expect({ registrations: file.registrations, slots: vm.slots.size }).toEqual({
      registrations: 0,
      slots: 0,
    });
    await Promise.all([vm.setMemslot(spec), vm.setMemslot(spec)]);
    expect(file.registrations).toBe(1);
    await vm[Symbol.asyncDispose]();
    expect(file.registrations).toBe(0);
  });
});
