import { describe, expect, it } from 'vitest';
import { KvmVm } from '../../adapters/kvm/index.js';
import { createMemfile, MemfileError, type MemoryFile } from '../../core/index.js';
import { hugetlb, type HugetlbOptions } from '../../plugins/hugetlb/index.js';

const HUGE = 512;
const GIB = 262_144;

const setUp = (options: HugetlbOptions) => {
  const store = hugetlb(options);
  const memfile = createMemfile({ plugins: [store] });
  const counters = () => {
    const { total, free, reserved, surplus } = store.poolCounters();
    expect(memfile.state.plugins.get('hugetlb')).toMatchObject({ pool: store.poolCounters() });
    return [total, free, reserved, surplus];
  };
  return { store, memfile, counters };
};

const code = (operation: Promise<void>): Promise<string> =>
  operation.then(
    () => 'done',
    (error: MemfileError) => `${error.code} ${error.effect}`,
  );

describe('reservations', () => {
  it('are made at creation, or nothing is created: ENOMEM', () => {
    const { memfile, counters } = setUp({ pool: 4 });
    memfile.createFile('hugetlb', { size: 3 * HUGE, reserve: true });
    expect(counters()).toEqual([4, 4, 3, 0]);
    const before = memfile.journal.position;
    const more = (): MemoryFile => memfile.createFile('hugetlb', { size: 2 * HUGE, reserve: true });
    expect(more).toThrow(/ENOMEM.*2 huge pages to reserve, the pool has 1 left/);
    expect([memfile.files.size, memfile.journal.position]).toEqual([1, before]);
    expect(counters()).toEqual([4, 4, 3, 0]);
  });

  it('are kept for their file: others find the pool empty, ENOSPC', async () => {
    const { memfile, counters } = setUp({ pool: 2 });
    const reserved = memfile.createFile('hugetlb', { size: HUGE, reserve: true });
    const other = memfile.createFile('hugetlb', { size: 2 * HUGE });
    expect(await code(other.fallocate(0, 2 * HUGE))).toBe('ENOSPC partial');
    expect(counters()).toEqual([2, 1, 1, 0]);
    expect(await code(reserved.fallocate(0, 1))).toBe('done');
    expect(counters()).toEqual([2, 0, 0, 0]);
  });

  it('of pages go with a punch, those of holes only with the end of the file', async () => {
    const { memfile, counters } = setUp({ pool: 4 });
    const file = memfile.createFile('hugetlb', { size: 4 * HUGE, reserve: true });
    await file.fallocate(0, HUGE);
    await file.punchHole(0, 2 * HUGE);
    expect(counters()).toEqual([4, 4, 3, 0]);
    await file.truncate(2 * HUGE);
    expect(counters()).toEqual([4, 4, 1, 0]);
    await file.close();
    expect(counters()).toEqual([4, 4, 0, 0]);
  });

  it('are back when a consumer refuses the pages', async () => {
    const { memfile, counters, store } = setUp({ pool: 2 });
    const file = memfile.createFile('hugetlb', { size: 2 * HUGE, reserve: true });
    let room = false;
    const prepare = (): void => {
      store.resizePool(1);
      if (!room) throw new Error('no room');
    };
    const consumer = await file.register({ prepare });
    expect(await code(file.fallocate(0, 2 * HUGE))).toBe('EBUSY none');
    // The pool has shrunk meanwhile, but what was promised stays promised.
    expect(counters()).toEqual([2, 2, 2, 1]);
    room = true;
    expect(await code(file.fallocate(0, 2 * HUGE))).toBe('done');
    consumer.unsubscribe();
    await file.close();
    expect(counters()).toEqual([1, 1, 0, 0]);
  });
});

describe('the pool', () => {
  it('shrinks by free pages at once, by others when they are free, and grows at once', async () => {
    const { memfile, counters, store } = setUp({ pool: 4 });
    const file = memfile.createFile('hugetlb', { size: 4 * HUGE });
    await file.fallocate(0, 3 * HUGE);
    store.resizePool(1);
    expect(counters()).toEqual([3, 0, 0, 2]);
    await file.punchHole(0, HUGE);
    expect(counters()).toEqual([2, 0, 0, 1]);
    store.resizePool(3);
    expect(counters()).toEqual([3, 1, 0, 0]);
    await file.close();
    expect(counters()).toEqual([3, 3, 0, 0]);
  });

  it('gets a frame back at its last reference only, also after its file', async () => {
    const { memfile, counters } = setUp({ pool: 1 });
    const file = memfile.createFile('hugetlb', { size: HUGE });
    await file.fallocate(0, HUGE);
    const consumer = await file.register({});
    const leases = [consumer.lookup(0), consumer.lookup(7)];
    expect(leases.map(({ pfn, order }) => [pfn % HUGE, order])).toEqual([
      [0, 9],
      [7, 9],
    ]);
    await file.punchHole(0, HUGE);
    expect(counters()).toEqual([1, 0, 0, 0]);
    expect(await code(file.fallocate(0, HUGE))).toBe('ENOSPC none');
    leases[0]!.put();
    await file.close();
    expect(counters()).toEqual([1, 0, 0, 0]);
    leases[1]!.put();
    expect(counters()).toEqual([1, 1, 0, 0]);
  });

  it('does not get back what is quarantined', async () => {
    const { memfile, counters } = setUp({ pool: 2 });
    const file = memfile.createFile('hugetlb', { size: 2 * HUGE });
    await file.fallocate(0, 2 * HUGE);
    const invalidate = (): never => {
      throw new Error('stuck');
    };
    await file.register({ invalidate }, { range: { start: 3, end: 5 } });
    expect(await code(file.punchHole(0, 2 * HUGE))).toBe('EIO done');
    expect(counters()).toEqual([2, 1, 0, 0]);
  });

  it('loses the whole huge page of a page that is poisoned', async () => {
    const { memfile, counters } = setUp({ pool: 3 });
    const file = memfile.createFile('hugetlb', { size: 2 * HUGE });
    await file.fallocate(0, 2 * HUGE);
    const consumer = await file.register({});
    await file.poison(3);
    expect(() => consumer.lookup(500)).toThrow('EHWPOISON');
    consumer.lookup(HUGE).put();
    await file.punchHole(3, 4);
    expect(() => consumer.lookup(3)).toThrow('EHWPOISON');
    await file.punchHole(0, 2 * HUGE);
    expect(counters()).toEqual([3, 2, 0, 0]);
    await file.fallocate(0, HUGE);
    consumer.lookup(3).put();
  });

  it('is not walked where nothing is: ranges may be of petabytes', async () => {
    const { memfile, counters } = setUp({ pool: 2 });
    const file = memfile.createFile('hugetlb', { size: 2 ** 40 });
    await file.convert(1, 2 ** 40, 'private');
    await file.convert(0, 2 ** 40, 'shared', { content: 'zero' });
    expect(await code(file.fallocate(5, 2 ** 40))).toBe('ENOSPC partial');
    await file.punchHole(1, 2 ** 40);
    expect(counters()).toEqual([2, 1, 0, 0]);
    await file.close();
    expect(counters()).toEqual([2, 2, 0, 0]);
  });

  it('says beforehand what would be refused', async () => {
    const { memfile } = setUp({ pool: 3 });
    const spec = { name: 'ram', pages: 3 * HUGE, flags: [], options: { reserve: false } };
    const store = hugetlb({ pool: 2 });
    const first = store.createFile({ ...spec, id: 1 });
    const reserved = store.createFile({ ...spec, id: 2, pages: HUGE, options: { reserve: true } });
    expect(first.plan!(0, 1)).toBeUndefined();
    expect(first.plan!(0, HUGE + 1)).toMatchObject({ code: 'ENOSPC' });
    expect(first.plan!(HUGE, HUGE + 1)).toBeUndefined();
    expect(reserved.plan!(0, HUGE)).toBeUndefined();
    expect(reserved.plan!(0, 3 * HUGE)).toMatchObject({ code: 'ENOSPC' });
    first.allocate(0, 1);
    expect(first.plan!(0, HUGE)).toBeUndefined();
    expect(reserved.plan!(0, HUGE)).toBeUndefined();
    expect(memfile.files.size).toBe(0);
  });
});

describe('pages of 1 GiB', () => {
  it('have order 18, the exact frame, and memory only where they are written', async () => {
    const { memfile, counters } = setUp({ pageSize: '1G', pool: 2 });
    expect(() => memfile.createFile('hugetlb', { size: HUGE })).toThrow('EINVAL');
    const file = memfile.createFile('hugetlb', { size: 2 * GIB });
    await file.fallocate(GIB, GIB + 1);
    expect(file.populated()).toEqual([{ start: GIB, end: 2 * GIB }]);
    const consumer = await file.register({});
    const before = process.memoryUsage().rss;
    {
      using lease = consumer.lookup(GIB + 100_000);
      expect([lease.order, lease.pfn % GIB]).toEqual([18, 100_000]);
      const bytes = lease.bytes();
      expect(bytes.length).toBe(GIB * 4096);
      bytes[100_000 * 4096 + 5] = 7;
      bytes[100_001 * 4096] = 8;
    }
    await file.punchHole(GIB + 100_000, GIB + 100_001);
    {
      using lease = consumer.lookup(GIB);
      const bytes = lease.bytes();
      expect([bytes[100_000 * 4096 + 5], bytes[100_001 * 4096]]).toEqual([0, 8]);
    }
    await file.convert(GIB, 2 * GIB, 'shared', { content: 'zero' });
    using lease = consumer.lookup(GIB);
    expect(lease.bytes()[100_001 * 4096]).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
    expect(counters()).toEqual([2, 1, 0, 0]);
  });
});

describe('conversions', () => {
  it('of a part of a huge page show it in small pages, until it is of one side again', async () => {
    const { memfile } = setUp({ pool: 2 });
    const file = memfile.createFile('hugetlb', { size: 2 * HUGE });
    await file.fallocate(0, 2 * HUGE);
    const shared = await file.register({}, { access: 'shared' });
    const orders = (...pages: readonly number[]): number[] =>
      pages.map((page) => {
        using lease = shared.lookup(page);
        expect(lease.bytes().length).toBe(2 ** lease.order * 4096);
        return lease.order;
      });
    {
      using lease = shared.lookup(0);
      lease.bytes().fill(1);
      lease.bytes()[2 * 4096] = 2;
    }
    await file.convert(1, 2, 'private');
    {
      using lease = shared.lookup(2);
      expect([...lease.bytes().subarray(0, 2)]).toEqual([2, 1]);
    }
    expect(orders(0, 2, HUGE)).toEqual([0, 1, 9]);
    expect(() => shared.lookup(1)).toThrow('EFAULT');
    await file.convert(0, 3, 'shared', { content: 'zero' });
    expect(orders(0, 1)).toEqual([9, 9]);
    using lease = shared.lookup(0);
    const bytes = lease.bytes();
    expect([bytes[0], bytes[3 * 4096 - 1], bytes[3 * 4096]]).toEqual([0, 0, 1]);
    await file.convert(HUGE, 2 * HUGE, 'private');
    const guest = await file.register({}, { access: 'private' });
    using own = guest.lookup(HUGE + 1);
    expect([own.order, own.pfn % HUGE]).toEqual([9, 1]);
  });

  it('to zero keep the view that a lease has', async () => {
    const { memfile } = setUp({ pool: 1 });
    const file = memfile.createFile('hugetlb', { size: HUGE });
    await file.fallocate(0, HUGE);
    const consumer = await file.register({});
    using lease = consumer.lookup(0);
    const view = lease.bytes().fill(1);
    await file.convert(0, HUGE, 'shared', { content: 'zero' });
    expect(view.every((byte) => byte === 0)).toBe(true);
    expect(lease.bytes().buffer).toBe(view.buffer);
  });
});

describe('KVM over huge pages', () => {
  it('maps 2 MiB at once, and keeps it when a punch frees nothing', async () => {
    const { memfile } = setUp({ pool: 2 });
    const file = memfile.createFile('hugetlb', { size: 2 * HUGE });
    await using vm = new KvmVm({ name: 'vm' });
    await vm.setMemslot({
      slot: 0,
      gfn: 4 * HUGE,
      pages: 2 * HUGE,
      guestMemfd: { file, offset: 0 },
    });
    expect(await vm.fault(4 * HUGE + 9)).toMatchObject({ type: 'mapped', level: 2 });
    expect(vm.stage2.ranges()).toEqual([{ start: 4 * HUGE, end: 5 * HUGE }]);
    await file.punchHole(9, 10);
    expect(file.populated()).toEqual([{ start: 0, end: HUGE }]);
    expect(await vm.fault(4 * HUGE + 9)).toMatchObject({ type: 'mapped', level: 2 });
    await file.punchHole(0, HUGE);
    expect(vm.stage2.ranges()).toEqual([]);
  });
});

describe('what a hugetlb store is made with', () => {
  it.each([
    ['a page size', { pageSize: '4K' }, /pageSize must be 2M or 1G, got 4K/],
    ['a page size from a prototype', { pageSize: 'toString' }, /pageSize/],
    ['a negative pool', { pool: -1 }, /pool must be a count of huge pages, got -1/],
    ['half a page', { pool: 0.5 }, /pool/],
    ['more than a file can address', { pool: 2 ** 42 }, /pool/],
  ])('EINVAL for %s', (_, options, message) => {
    const make = (): unknown => hugetlb(options as HugetlbOptions);
    expect(make).toThrow(MemfileError);
    expect(make).toThrow('EINVAL');
    expect(make).toThrow(message);
  });

  it('EINVAL for a bad reservation, a bad size of the pool, and a second memfile', () => {
    const { memfile, store, counters } = setUp({});
    expect(() => memfile.createFile('hugetlb', { size: 0, reserve: 1 as never })).toThrow('EINVAL');
    // @ts-expect-error there is no such option
    memfile.createFile('hugetlb', { size: 0, huge: true });
    expect(() => store.resizePool(-1)).toThrow('EINVAL');
    expect(() => createMemfile({ plugins: [store] })).toThrow('EINVAL');
    expect(counters()).toEqual([0, 0, 0, 0]);
  });
});
