import { describe, expect, it } from 'vitest';
import {
  createMemfile,
  MemoryJournal,
  type BackingStore,
  type JournalEvent,
} from '../../core/index.js';
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

describe('a file that cannot be created', () => {
  it('for want of a journal leaves no reservation behind', () => {
    class Full extends MemoryJournal {
      override append(event: JournalEvent): number {
        if (event.type === 'createFile') throw new Error('the disk is full');
        return super.append(event);
      }
    }
    const store = hugetlb({ pool: 2 });
    const memfile = createMemfile({ plugins: [store], journal: new Full() });
    const create = (): unknown => memfile.createFile('hugetlb', { size: 1024, reserve: true });
    expect(create).toThrow(expect.objectContaining({ code: 'EIO' }));
    expect(store.poolCounters()).toEqual({ total: 2, free: 2, reserved: 0, surplus: 0 });
  });

  it('because its store does not attach it: the same', () => {
    const inner = hugetlb({ pool: 2 });
    const attach = (): never => {
      throw new Error('no');
    };
    const store: BackingStore<'odd', { reserve: boolean }> = {
      name: 'odd',
      createFile: (spec) => Object.assign(inner.createFile(spec), { attach }),
    };
    const memfile = createMemfile({ plugins: [store] });
    const create = (): unknown => memfile.createFile('odd', { size: 1024, reserve: true });
    expect(create).toThrow(expect.objectContaining({ code: 'EIO' }));
    expect(inner.poolCounters().reserved).toBe(0);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
  });
});
