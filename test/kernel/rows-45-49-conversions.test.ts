import { describe, expect, it } from 'vitest';
import { KVM_MEM, KvmVm, MEMORY_ATTRIBUTE_PRIVATE } from '../../adapters/kvm/index.js';
import { VmmMapping } from '../../adapters/vmm-mapping/index.js';
import { createMemfile, PAGE_SIZE, type Notifier } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';

/** Guest pages [0, 8) are the pages of a file that serves both sides; the VMM maps it too. */
const setUp = async () => {
  const memfile = createMemfile({ plugins: [shmem()] });
  const file = memfile.createFile('shmem', { size: 8, name: 'guest' });
  const vm = new KvmVm();
  await vm.setUserMemoryRegion2({
    slot: 0,
    flags: KVM_MEM.GUEST_MEMFD,
    guestPhysAddr: 0,
    memorySize: 8 * PAGE_SIZE,
    guestMemfd: file,
  });
  const host = await VmmMapping.create(file, { range: { start: 0, end: 8 } });
  return { memfile, file, vm, host };
};

const attributes = (vm: KvmVm, gfn: number, pages: number, isPrivate: boolean) =>
  vm.setMemoryAttributes({
    address: gfn * PAGE_SIZE,
    size: pages * PAGE_SIZE,
    attributes: isPrivate ? MEMORY_ATTRIBUTE_PRIVATE : 0,
  });

describe('row 41', () => {
  it('row 41: poison begins and ends once, truncates nothing, and faults are EHWPOISON', async () => {
    const { memfile, file, vm } = await setUp();
    await file.fallocate(0, 8);
    for (const gfn of [4, 5, 6]) await vm.fault(gfn);
    const told: string[] = [];
    const tell: Notifier['error'] = (start, end, { type, reason, kept }) => {
      told.push(`${type} ${reason} ${start} ${end} ${kept?.length ?? 0}`);
    };
    await file.register({ invalidate: tell, invalidateEnd: tell, error: tell, fallocate: tell });
    await file.poison(5);
    await file.poison(5);
    expect(told).toEqual([
      'invalidate poison 5 6 0',
      'invalidateEnd poison 5 6 0',
      'error poison 5 6 0',
    ]);
    expect(file.populated()).toEqual([{ start: 0, end: 8 }]);
    expect(vm.stage2.ranges()).toEqual([
      { start: 4, end: 5 },
      { start: 6, end: 7 },
    ]);
    expect(await vm.fault(5)).toMatchObject({ type: 'memory-fault', code: 'EHWPOISON' });
    await expect(vm.prefault({ gpa: 5 * PAGE_SIZE, size: PAGE_SIZE })).rejects.toMatchObject({
      code: 'EHWPOISON',
    });
    expect(await vm.fault(4)).toMatchObject({ type: 'mapped' });
    await file.punchHole(5, 6);
    expect(memfile.state.quarantined).toMatchObject([{ start: 5, end: 6 }]);
    expect(await vm.fault(5)).toMatchObject({ type: 'mapped' });
  });
});

describe('rows 45 to 49', () => {
  it('row 45: private is SIGBUS to the host and keeps its contents for the guest, and back', async () => {
    const { file, vm, host } = await setUp();
    await host.touch(2, 3);
    const consumer = await file.register({});
    const byte = (value?: number): number | undefined => {
      using lease = consumer.lookup(2);
      if (value !== undefined) lease.bytes()[0] = value;
      return lease.bytes()[0];
    };
    byte(0xaa);
    await file.convert(2, 3, 'private', { content: 'preserve' });
    expect(host.residentPages).toBe(0);
    await expect(host.touch(0, 8)).rejects.toMatchObject({ code: 'EFAULT' });
    expect(file.populated()).toEqual([{ start: 2, end: 3 }]);
    expect(await vm.fault(2)).toMatchObject({ type: 'memory-fault', code: 'EFAULT', flags: 0 });
    expect(await vm.fault(2, { private: true })).toMatchObject({ type: 'mapped' });
    expect(byte()).toBe(0xaa);
    byte(0xff);
    await attributes(vm, 2, 1, false);
    await host.touch(2, 3);
    expect(host.translation(2)).toBeGreaterThanOrEqual(0);
    expect(byte()).toBe(0xff);
  });

  it('row 46: what is converted before it is there is remembered, neighbours go on', async () => {
    const { file, vm, host } = await setUp();
    await attributes(vm, 3, 1, true);
    expect(file.privatePages()).toEqual([{ start: 3, end: 4 }]);
    expect(vm.attributes.privateRanges()).toEqual([{ start: 3, end: 4 }]);
    await host.touch(2, 3);
    await host.touch(4, 5);
    expect(await vm.fault(3, { private: true })).toMatchObject({ type: 'mapped' });
    expect(await vm.fault(4)).toMatchObject({ type: 'mapped' });
    await expect(host.touch(3, 4)).rejects.toMatchObject({ code: 'EFAULT' });
  });

  it('row 47: a held page is EAGAIN with page and holders, and nothing changed; then ok', async () => {
    const { file, vm } = await setUp();
    await file.fallocate(0, 8);
    const dma = await file.register({ name: 'dma' });
    const rdma = await file.register({ name: 'rdma' });
    const leases = [rdma.lookup(5), dma.lookup(5), dma.lookup(6)];
    const refused = {
      code: 'EAGAIN',
      effect: 'none',
      refused: { page: 5, consumer: 'dma', holders: ['dma', 'rdma'] },
    };
    await expect(file.convert(0, 8, 'private')).rejects.toMatchObject(refused);
    await expect(attributes(vm, 0, 8, true)).rejects.toMatchObject(refused);
    expect(file.privatePages()).toEqual([]);
    expect(await vm.fault(5)).toMatchObject({ type: 'mapped' });
    for (const lease of leases) lease.put();
    await attributes(vm, 0, 8, true);
    expect(file.privatePages()).toEqual([{ start: 0, end: 8 }]);
    expect(vm.stage2.pages).toBe(0);
  });

  it('row 48: a punch does not change sides; contents are zero after it', async () => {
    const { file } = await setUp();
    await file.fallocate(0, 2);
    const consumer = await file.register({});
    {
      using lease = consumer.lookup(1);
      lease.bytes().fill(0xaa);
    }
    await file.convert(0, 2, 'private');
    await file.punchHole(0, 2);
    expect(file.privatePages()).toEqual([{ start: 0, end: 2 }]);
    await file.fallocate(0, 2);
    using again = consumer.lookup(1);
    expect(again.bytes().every((byte) => byte === 0)).toBe(true);
  });

  it('row 49: zero to private is EOPNOTSUPP, to shared it zeroes; other modes are EINVAL', async () => {
    const { memfile, file } = await setUp();
    await file.fallocate(0, 2);
    const { position } = memfile.state;
    await expect(file.convert(0, 2, 'private', { content: 'zero' })).rejects.toMatchObject({
      code: 'EOPNOTSUPP',
    });
    await expect(
      file.convert(0, 2, 'private', { content: 'zero|preserve' as 'zero' }),
    ).rejects.toMatchObject({ code: 'EINVAL' });
    expect(memfile.state.position).toBe(position);
    await file.convert(0, 2, 'private');
    await file.convert(0, 2, 'shared', { content: 'zero' });
    const consumer = await file.register({});
    using lease = consumer.lookup(0);
    expect(lease.bytes().every((byte) => byte === 0)).toBe(true);
  });

  it('a conversion to what it is already tells nobody and records nothing', async () => {
    const { memfile, file, vm } = await setUp();
    await file.convert(0, 4, 'private');
    const { position } = memfile.state;
    await file.convert(1, 3, 'private');
    await attributes(vm, 0, 4, true);
    expect(memfile.state.position).toBe(position);
  });
});

describe('attribute calls of KVM over several files', () => {
  it('are all or nothing: what was converted is converted back, in reverse', async () => {
    const memfile = createMemfile({ plugins: [shmem()] });
    const vm = new KvmVm();
    const files = ['a', 'b', 'c'].map((name) => memfile.createFile('shmem', { size: 4, name }));
    for (const [slot, file] of files.entries()) {
      await vm.setMemslot({ slot, gfn: slot * 4, pages: 4, guestMemfd: { file, offset: 0 } });
    }
    await files[0]!.convert(1, 2, 'private');
    await files[2]!.fallocate(0, 4);
    const holder = await files[2]!.register({ name: 'holder' });
    const lease = holder.lookup(3);
    await expect(attributes(vm, 0, 16, true)).rejects.toMatchObject({
      code: 'EAGAIN',
      effect: 'none',
      refused: { consumer: 'holder', page: 3 },
    });
    expect(vm.attributes.privateRanges()).toEqual([{ start: 1, end: 2 }]);
    const converted = [...memfile.journal.read(1)].flatMap((event) =>
      event.type === 'convert' ? [`${event.file} ${event.start} ${event.end} ${event.to}`] : [],
    );
    expect(converted.slice(1)).toEqual([
      '1 0 1 private',
      '1 2 4 private',
      '2 0 4 private',
      '2 0 4 shared',
      '1 2 4 shared',
      '1 0 1 shared',
    ]);
    lease.put();
    await attributes(vm, 0, 16, true);
    expect(vm.attributes.privateRanges()).toEqual([{ start: 0, end: 16 }]);
  });

  it("say 'partial' when somebody does not let it be undone", async () => {
    const memfile = createMemfile({ plugins: [shmem()] });
    const vm = new KvmVm();
    const files = ['a', 'b'].map((name) => memfile.createFile('shmem', { size: 4, name }));
    for (const [slot, file] of files.entries()) {
      await vm.setMemslot({ slot, gfn: slot * 4, pages: 4, guestMemfd: { file, offset: 0 } });
    }
    await files[0]!.register({
      prepare(_start, _end, { conversion }) {
        if (conversion?.to === 'shared') throw new Error('not back');
      },
    });
    await files[1]!.register({
      prepare() {
        throw new Error('not at all');
      },
    });
    await expect(attributes(vm, 0, 8, true)).rejects.toMatchObject({
      code: 'EBUSY',
      effect: 'partial',
    });
    expect(vm.attributes.privateRanges()).toEqual([{ start: 0, end: 4 }]);
  });
});
