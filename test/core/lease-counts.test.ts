import { describe, expect, it } from 'vitest';
import { createMemfile, restoreState, saveState } from '../../core/index.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';

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
    expect(restoreState(saveState(memfile.state)).toJSON()).toEqual(memfile.state.toJSON());
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
