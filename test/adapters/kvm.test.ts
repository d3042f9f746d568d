import { describe, expect, it } from 'vitest';
import {
  abandon,
  KvmVm,
  newFault,
  step,
  type FaultExit,
  type MemslotSpec,
} from '../../adapters/kvm/index.js';
import { createMemfile, type MemoryFile } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

const setUp = () => {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: 16, name: 'ram' });
  return { memfile, file, vm: new KvmVm() };
};

const slot = (file: MemoryFile, number = 0, gfn = 100) =>
  ({
    slot: number,
    gfn,
    pages: 8,
    pieces: [{ gfn, pages: 8, file, offset: 4 }],
  }) satisfies MemslotSpec;

const raise = (why: string): never => {
  throw new Error(why);
};

const MAPPED = expect.objectContaining({ type: 'mapped' });

describe('KVM', () => {
  it('maps on fault, allocating the page, and zaps what an invalidation covers', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    expect(await vm.fault(99)).toEqual({ type: 'mmio', gpa: 99 * 4096 });
    for (const gfn of [100, 101, 107]) expect(await vm.fault(gfn)).toEqual(MAPPED);
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
    const exits = [];
    for (let stop = 1; stop < 7; stop++) {
      await file.fallocate(4, 12);
      const fault = newFault(103);
      for (let i = 0; i < stop; i++) step(vm, fault);
      await file.punchHole(7, 8);
      while (!['populate', 'retry', 'done'].includes(fault.next)) step(vm, fault);
      exits.push(fault.exit);
      expect(vm.stage2.has(103)).toBe(false);
      expect(vm.srcu.readers).toBe(0);
    }
    expect(exits).toEqual(Array.from({ length: 6 }, () => undefined));
  });

  it('a fault that is given up gives back what it holds, wherever it stands', async () => {
    const { memfile, file, vm } = setUp();
    await vm.setMemslot(slot(file));
    const stoodAt = new Set<string>();
    const giveUp = (steps: number): void => {
      const fault = newFault(103);
      for (let i = 0; i < steps; i++) step(vm, fault);
      stoodAt.add(fault.next);
      abandon(vm, fault);
      expect(fault.next).toBe('done');
      expect(vm.srcu.readers).toBe(0);
      expect(memfile.state.toJSON().leases).toEqual([]);
    };
    for (let steps = 0; steps < 5; steps++) giveUp(steps);
    expect([...stoodAt]).toEqual(['snapshot', 'attributes', 'slot', 'check', 'lookup']);
    giveUp(5);
    expect(stoodAt).toContain('populate');
    await file.fallocate(7, 8);
    for (let steps = 5; steps < 8; steps++) giveUp(steps);
    expect([...stoodAt].slice(-3)).toEqual(['recheck', 'map', 'release']);
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
    expect(await fault).toEqual(MAPPED);
    expect(vm.stage2.get(101)).toBeGreaterThan(0);
  });

  it('an invalidation elsewhere in the union range makes it wait, without spinning', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await file.fallocate(4, 12);
    let letGo = (): void => {};
    const slow = { invalidate: () => new Promise<void>((resolve) => (letGo = resolve)) };
    await file.register(slow, { range: { start: 4, end: 5 } });
    const first = file.punchHole(4, 5);
    const fault = vm.fault(100);
    // A macrotask: were the fault busy with microtasks, this would never come.
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(vm.stage2.pages).toBe(0);
    const stopped = new AbortController();
    const given = vm.fault(100, { signal: stopped.signal });
    stopped.abort();
    await expect(given).rejects.toThrow('EINTR');
    letGo();
    await first;
    expect(await fault).toEqual(MAPPED);
  });

  it('a slot whose file is closed faults with a memory fault, not for ever', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await vm.fault(103);
    await file.close();
    expect(vm.stage2.pages).toBe(0);
    expect(await vm.fault(103)).toMatchObject({ type: 'memory-fault', code: 'EFAULT' });
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
    expect(vm.invalidations.inProgress).toBe(0);
    await expect(vm.setMemslot({ ...slot(file), pages: 0 })).rejects.toThrow('EINVAL');
  });

  it('a slot that is evicted amid an invalidation leaves nothing in progress', async () => {
    const { memfile, file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await vm.fault(103);
    let letGo = (): void => {};
    await file.register({ invalidate: () => new Promise<void>((resolve) => (letGo = resolve)) });
    const punch = file.punchHole(4, 12);
    expect(vm.invalidations.inProgress).toBe(1);
    for (const consumer of file.consumers()) {
      if (consumer.name === 'kvm slot 0') consumer.evict();
    }
    letGo();
    await punch;
    expect(vm.invalidations.inProgress).toBe(0);
    expect(await vm.fault(103)).toMatchObject({ type: 'memory-fault' });
    await memfile[Symbol.asyncDispose]();
  });

  it('a slot that is set again in another place moves; with other flags only, it stays', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await vm.fault(103);
    await vm.setMemslot({ ...slot(file), logDirty: true });
    expect(vm.stage2.has(103)).toBe(true);
    expect(vm.slots.get(0)?.logDirty).toBe(true);
    await vm.setMemslot(slot(file, 0, 200));
    expect(vm.stage2.pages).toBe(0);
    expect(await vm.fault(103)).toMatchObject({ type: 'mmio' });
    expect(await vm.fault(203)).toEqual(MAPPED);
    expect(file.registrations).toBe(1);
  });

  it('what is mapped behind a slot may change, and slots may have the same pages', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await vm.setMemslot(slot(file, 1, 200));
    await vm.fault(100);
    await vm.fault(200);
    expect(vm.stage2.get(100)).toBe(vm.stage2.get(200));
    await vm.setMemslot({ ...slot(file), pieces: [{ gfn: 100, pages: 8, file, offset: 5 }] });
    expect(vm.stage2.ranges()).toEqual([{ start: 200, end: 201 }]);
    await vm.fault(100);
    await file.punchHole(5, 6);
    expect(vm.stage2.ranges()).toEqual([{ start: 200, end: 201 }]);
    await expect(vm.setMemslot(slot(file, 2, 105))).rejects.toThrow('EEXIST');
  });

  it('a refused piece leaves no registration, nor do two changes at once', async () => {
    const { memfile, file, vm } = setUp();
    const closed = memfile.createFile('shmem', { size: 4 });
    await closed.close();
    const spec = slot(file);
    const pieces = [
      { gfn: 100, pages: 4, file, offset: 4 },
      { ...spec.pieces[0]!, file: closed },
    ];
    pieces[1] = { gfn: 104, pages: 4, file: closed, offset: 0 };
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

  it('logs the pages that are mapped for a write, once each, and protects them again', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await vm.fault(100, { write: true });
    await vm.setMemslot({ ...slot(file), logDirty: true });
    expect(vm.stage2.isWritable(100)).toBe(false);
    await vm.fault(100);
    for (const gfn of [101, 102, 106]) await vm.fault(gfn, { write: true });
    const written = [
      { start: 101, end: 103 },
      { start: 106, end: 107 },
    ];
    expect(await vm.getDirtyLog(0)).toEqual(written);
    expect(await vm.getDirtyLog(0)).toEqual([]);
    await vm.fault(106, { write: true });
    // A move takes the log along.
    await vm.setMemslot({ ...slot(file, 0, 200), logDirty: true });
    expect(await vm.getDirtyLog(0)).toEqual([{ start: 206, end: 207 }]);
    await vm.setMemslot(slot(file, 0, 200));
    await expect(vm.getDirtyLog(0)).rejects.toThrow('ENOENT');
  });

  it('a read-only slot maps for reading, and gives a write to the VMM', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot({ ...slot(file), readOnly: true });
    expect(await vm.fault(100)).toEqual(MAPPED);
    expect(vm.stage2.isWritable(100)).toBe(false);
    expect(await vm.fault(101, { write: true })).toEqual({ type: 'mmio', gpa: 101 * 4096 });
    await expect(vm.setMemslot(slot(file))).rejects.toThrow('EINVAL');
  });

  it('two VMs over one file are each told, and each zaps its own', async () => {
    const { file, vm } = setUp();
    const other = new KvmVm({ name: 'other' });
    await vm.setMemslot(slot(file));
    await other.setMemslot(slot(file, 0, 0));
    await vm.fault(103);
    await other.fault(3);
    expect(other.stage2.get(3)).toBe(vm.stage2.get(103));
    await file.punchHole(7, 8);
    expect([vm.stage2.pages, other.stage2.pages]).toEqual([0, 0]);
  });

  it('maps nothing of a file that is gone, and forgets what it mapped', async () => {
    const { memfile, file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await vm.fault(103);
    const fault = newFault(101);
    await file.fallocate(5, 6);
    while (fault.next !== 'map') step(vm, fault);
    await memfile[Symbol.asyncDispose]();
    step(vm, fault);
    expect({ exit: fault.exit, mapped: vm.stage2.pages }).toEqual({ exit: undefined, mapped: 0 });
    step(vm, fault);
    expect(await vm.fault(103)).toMatchObject({ type: 'memory-fault', code: 'EFAULT' });
  });

  it('maps nothing past the end of the file, even where pages are kept', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await file.truncate(6);
    await file.fallocate(8, 10, { keepSize: true });
    for (const gfn of [102, 104]) {
      expect(await vm.fault(gfn)).toMatchObject({ type: 'memory-fault', code: 'EFAULT' });
    }
    expect(await vm.fault(101)).toEqual(MAPPED);
    expect(file.populated()).toEqual([
      { start: 5, end: 6 },
      { start: 8, end: 10 },
    ]);
  });

  it.each([
    ['none at all', { pages: 0 }],
    ['half a page', { pages: 0.5 }],
    ['no place in the file', { offset: -1 }],
    ['one before the slot', { gfn: 99 }],
    ['one that ends after it', { pages: 5 }],
    ['one that overlaps the other', { gfn: 103 }],
  ])('EINVAL: a slot of pieces of which one is %s', async (_, wrong) => {
    const { file, vm } = setUp();
    const good = { gfn: 100, pages: 4, file, offset: 0 };
    const bad = { gfn: 104, pages: 4, file, offset: 4, ...wrong };
    const spec = { slot: 0, gfn: 100, pages: 8, pieces: [bad, good] };
    await expect(vm.setMemslot(spec)).rejects.toMatchObject({ code: 'EINVAL' });
    expect(file.registrations).toBe(0);
    expect(vm.slots.at(100)).toBeUndefined();
  });

  it('a fault that fails rejects, and never throws', async () => {
    const { memfile, file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await vm.fault(103);
    vm.zap({ start: 100, end: 108 });
    const failing: [string, () => Promise<FaultExit>][] = [
      ['EINVAL', () => vm.fault(-1)],
      ['option', () => vm.fault(103, new Proxy({}, { get: () => raise('option') }))],
    ];
    await memfile.journal.close(); // Nobody can look anything up any more.
    failing.push(['EIO', () => vm.fault(103)]);
    for (const [why, fault] of failing) {
      let answer: Promise<FaultExit> | undefined;
      expect(() => (answer = fault())).not.toThrow();
      await expect(answer).rejects.toThrow(why);
    }
    expect({ readers: vm.srcu.readers, pages: vm.stage2.pages }).toEqual({ readers: 0, pages: 0 });
  });

  it('answers faults that wait for nothing with one promise for all of a kind', async () => {
    const { file, vm } = setUp();
    await vm.setMemslot(slot(file));
    await file.fallocate(4, 12);
    const [first, second, third] = [vm.fault(100), vm.fault(101), vm.fault(100)];
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    expect(await first).toEqual({ type: 'mapped', level: 1, spurious: false });
    expect(await third).toEqual({ type: 'mapped', level: 1, spurious: true });
  });

  it('refuses what is no guest page and no description, and everything after its end', async () => {
    const { file, vm } = setUp();
    for (const gfn of [-1, NaN, Infinity, 0.5, 2 ** 60, '1', null]) {
      await expect(vm.fault(gfn as never)).rejects.toThrow('EINVAL');
    }
    for (const nothing of [undefined, null, 7]) {
      await expect(vm.setMemslot(nothing as never)).rejects.toThrow('EINVAL');
      await expect(vm.setUserMemoryRegion2(nothing as never)).rejects.toThrow('EINVAL');
      await expect(vm.setMemoryAttributes(nothing as never)).rejects.toThrow('EINVAL');
      await expect(vm.prefault(nothing as never, nothing as never)).rejects.toThrow('EINVAL');
    }
    const all = { address: 0, size: 2 ** 52, attributes: 8 };
    await vm.setMemoryAttributes(all);
    expect(vm.attributes.privateRanges()).toEqual([{ start: 0, end: 2 ** 40 }]);
    await expect(vm.setMemoryAttributes({ ...all, size: 2 ** 53 })).rejects.toThrow('EINVAL');
    await vm[Symbol.asyncDispose]();
    await expect(vm.setMemslot(slot(file))).rejects.toThrow('EBADF');
    expect(file.registrations).toBe(0);
  });
});
