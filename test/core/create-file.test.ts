import { describe, expect, it } from 'vitest';
import { createMemfile } from '../../core/index.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';
import { vfioDevice } from '../../plugins/vfio-device/index.js';

describe('the options of a file', () => {
  it('are copied: what the caller does to them later is not in the journal', () => {
    const device = vfioDevice({ bars: [{ pfn: 0x100, pages: 8 }] });
    const memfile = createMemfile({ plugins: [device] });
    const ranges = [
      { offset: 0, length: 4 },
      { offset: 4, length: 4 },
    ];
    memfile.createFile('vfio-device', { size: 8, region: 0, ranges });
    const before = structuredClone([...memfile.journal.read(1)]);
    ranges[0]!.offset = 77;
    ranges.pop();
    expect([...memfile.journal.read(1)]).toEqual(before);
    expect(JSON.stringify(before)).toContain('"ranges":[{"offset":0,"length":4},');
  });

  it('that cannot be copied are refused, and no file is created', () => {
    const memfile = createMemfile({ plugins: [hugetlb({ pool: 1 })] });
    const { position } = memfile.state;
    const options = { size: 512, reserve: true, hook: () => {} };
    const create = (): unknown => memfile.createFile('hugetlb', options);
    expect(create).toThrow(expect.objectContaining({ code: 'EINVAL', syscall: 'createFile' }));
    expect(memfile.state.position).toBe(position);
  });
});
