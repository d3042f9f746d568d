import { beforeEach, describe, expect, it } from 'vitest';
import type { Stage2Mapping } from '../../adapters/kvm/index.js';
import { createMemfile, type MemoryFile } from '../../core/index.js';
import { LedgerStore } from './ledger-store.js';
import { Stage2Oracle, VmModel } from './oracle.js';

describe('the oracle itself', () => {
  let store: LedgerStore;
  let file: MemoryFile;
  let model: VmModel;
  let oracle: Stage2Oracle;

  /** Guest page 8 is page 0 of the file; all of it is there. */
  beforeEach(async () => {
    store = new LedgerStore();
    file = createMemfile({ plugins: [store] }).createFile('ledger', { size: 4 });
    await file.fallocate(0, 4);
    model = new VmModel('vm', store);
    model.slots.set(0, {
      slot: 0,
      gfn: 8,
      pages: 4,
      pieces: [{ gfn: 8, pages: 4, file, offset: 0 }],
    });
    oracle = new Stage2Oracle(store);
  });

  const mapping = (
    gfn: number,
    page: number,
    rest: Partial<Stage2Mapping> = {},
  ): Stage2Mapping => ({
    start: gfn,
    end: gfn + 1,
    pfn: store.frameOf(file.id, page)!,
    private: false,
    writable: true,
    level: 1,
    ...rest,
  });

  const found = (...dump: Stage2Mapping[]): string[] => {
    oracle.judge(model, dump);
    return [...oracle.broken].map((text) => text.slice(0, 2));
  };

  it('has nothing against what is right', () => {
    expect(found(mapping(8, 0), mapping(11, 3))).toEqual([]);
  });

  it('sees a page that was freed, even when it is there again', async () => {
    const stale = mapping(8, 0);
    await file.punchHole(0, 1);
    await file.fallocate(0, 1);
    expect(found(stale)).toEqual(['I1']);
  });

  it('sees the wrong page, a page outside every slot, and the wrong attribute', () => {
    expect(found(mapping(8, 1))).toEqual(['I1']);
    expect(found(mapping(20, 1))).toEqual(['I1', 'I1']);
    model.setPrivate(9, 10, true);
    expect(found(mapping(9, 1))).toContain('I2');
  });

  it('sees a large mapping that is none', () => {
    expect(found(mapping(8, 0, { level: 2 }))).toEqual(['I1']);
  });

  it('sees a frame that is freed while it is mapped', async () => {
    const mapped = mapping(9, 1);
    store.onFree = (frames) => oracle.freed(model, [mapped], frames);
    await file.punchHole(2, 4);
    expect(oracle.broken.size).toBe(0);
    await file.punchHole(0, 2);
    expect([...oracle.broken]).toEqual([expect.stringMatching(/^I7/)]);
  });

  it('sees references that are lost, and those that are put twice', async () => {
    const registration = await file.register({});
    const lease = registration.lookup(0);
    expect(store.references.size).toBe(1);
    lease.put();
    expect(store.references.size).toBe(0);
    const inner = store.createFile({ id: 9, name: 'x', pages: 1, flags: [], options: {} });
    inner.putUnlockPfn(lease.pfn);
    expect(store.broken).toEqual([expect.stringMatching(/^I8/)]);
  });
});
