import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemfile, Extents, restoreState, saveState } from '../../core/index.js';
import { LeaseCounts, type LeaseState } from '../../core/lease-counts.js';
import { HUGETLB_EVENTS, hugetlb } from '../../plugins/hugetlb/index.js';

describe('leases of one frame that were taken with different orders', () => {
  it('are counted apart: each is in the way of what it shows', async () => {
    const memfile = createMemfile({ plugins: [hugetlb({ pool: 1 })] });
    const file = memfile.createFile('hugetlb', { size: 512, name: 'guest' });
    await file.fallocate(0, 512);
    const kvm = await file.register({}, { name: 'kvm' });
    const leases = (): string[] =>
      memfile.state.toJSON().leases.map(({ order, count }) => `order ${order}, ${count}`);
    await file.convert(1, 2, 'private');
    const small = kvm.lookup(0);
    await file.convert(1, 2, 'shared');
    const large = kvm.lookup(0);
    const again = kvm.lookup(0);
    expect([small.order, large.order]).toEqual([0, 9]);
    expect(leases().sort()).toEqual(['order 0, 1', 'order 9, 2']);
    const restored = restoreState(saveState(memfile.state));
    restored.own.declare(HUGETLB_EVENTS, memfile.journal, restored);
    expect(restored.toJSON()).toEqual(memfile.state.toJSON());
    const refused = { consumer: 'kvm', page: 1, holders: ['kvm'] };
    const convert = (): Promise<void> => file.convert(1, 2, 'private');
    await expect(convert()).rejects.toMatchObject({ code: 'EAGAIN', refused });
    small.put();
    again.put();
    await expect(convert()).rejects.toMatchObject({ code: 'EAGAIN', refused });
    expect(leases()).toEqual(['order 9, 1']);
    large.put();
    await convert();
    expect(leases()).toEqual([]);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });
});

describe('leases near pages', () => {
  const taken = fc.record({ offset: fc.nat(31), order: fc.constantFrom(0, 0, 0, 0, 0, 1, 3) });
  const changes = fc.array(fc.record({ lease: taken, put: fc.boolean() }), { maxLength: 12 });

  it('are at least those that cover one of them, and no more when these are few and small', () => {
    const frames = new Extents();
    frames.set(0, 32, 100);
    const covers = (lease: LeaseState, page: number): boolean =>
      Math.floor(lease.offset / 2 ** lease.order) === Math.floor(page / 2 ** lease.order);
    fc.assert(
      fc.property(changes, fc.nat(31), (changes, page) => {
        const leases = new LeaseCounts();
        for (const { lease, put } of changes) {
          const { offset, order } = lease;
          if (put) leases.remove(offset + 100, offset, order);
          else leases.add(offset + 100, offset, order);
        }
        const near = [...leases.near([{ start: page, end: page + 1 }], frames)];
        const wanted = [...leases].filter((lease) => covers(lease, page));
        expect(near).toEqual(expect.arrayContaining(wanted));
        if ([...leases].every(({ order }) => order === 0)) expect(near).toEqual(wanted);
      }),
    );
  });
});

describe('LeaseCounts', () => {
  /** Frames in the order that they came; of each, the kinds in theirs. */
  class Model {
    readonly frames = new Map<number, LeaseState[]>();

    add(pfn: number, offset: number, order: number): void {
      const kinds = this.frames.get(pfn) ?? [];
      const at = kinds.findIndex((kind) => kind.offset === offset && kind.order === order);
      if (at < 0) kinds.push({ pfn, offset, order, count: 1 });
      else kinds[at] = { ...kinds[at]!, count: kinds[at]!.count + 1 };
      this.frames.set(pfn, kinds);
    }

    remove(pfn: number, offset: number, order: number): void {
      const kinds = (this.frames.get(pfn) ?? []).flatMap((kind) => {
        if (kind.offset !== offset || kind.order !== order) return [kind];
        return kind.count === 1 ? [] : [{ ...kind, count: kind.count - 1 }];
      });
      if (kinds.length === 0) this.frames.delete(pfn);
      else this.frames.set(pfn, kinds);
    }
  }

  const plain = (leases: LeaseCounts): LeaseState[] =>
    [...leases].map(({ pfn, offset, order, count }) => ({ pfn, offset, order, count }));

  it('counts what is out, in one order whether it was saved on the way or not', () => {
    const change = fc.record({
      put: fc.boolean(),
      pfn: fc.nat(9),
      offset: fc.nat(1),
      order: fc.constantFrom(0, 0, 1),
    });
    const changes = fc.array(change, { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(changes, fc.nat(60), (changes, saved) => {
        let leases = new LeaseCounts();
        const model = new Model();
        for (const [at, { put, pfn, offset, order }] of changes.entries()) {
          if (at === saved) {
            const restored = new LeaseCounts();
            for (const { pfn, offset, order, count } of leases) {
              restored.add(pfn, offset, order, count);
            }
            leases = restored;
          }
          if (put) {
            leases.remove(pfn, offset, order);
            model.remove(pfn, offset, order);
          } else {
            leases.add(pfn, offset, order);
            model.add(pfn, offset, order);
          }
          const wanted = [...model.frames.values()].flat();
          expect(plain(leases)).toEqual(wanted);
          expect(leases.size).toBe(wanted.length);
        }
      }),
      { seed: 20220118, numRuns: 300 },
    );
  });
});
