import { describe, expect, it } from 'vitest';
import {
  KvmVm,
  MEMORY_ATTRIBUTE_PRIVATE,
  newFault,
  step,
  type MemslotSpec,
} from '../../adapters/kvm/index.js';
import { createMemfile, PAGE_SIZE } from '../../core/index.js';
import { LedgerStore } from './ledger-store.js';

const setUp = async (spec: Partial<MemslotSpec> = {}, { gfn = 1024, offset = 0 } = {}) => {
  const memfile = createMemfile({ plugins: [new LedgerStore()] });
  const file = memfile.createFile('ledger', { size: 2048 });
  await file.fallocate(0, 2048);
  const vm = new KvmVm();
  const pieces = [{ gfn, pages: 1024, file, offset }];
  await vm.setMemslot({ slot: 0, gfn, pages: 1024, pieces, ...spec });
  return { file, vm };
};

const block = { start: 1024, end: 1536 };

describe('a mapping is as large as', () => {
  it('the order of the frame: 512 pages at once', async () => {
    const { vm } = await setUp();
    expect(await vm.fault(1100)).toEqual({ type: 'mapped', level: 2, spurious: false });
    expect(vm.stage2.ranges()).toEqual([block]);
    expect(await vm.fault(1024)).toEqual({ type: 'mapped', level: 2, spurious: true });
    const [mapping] = vm.stage2.mappings();
    expect(mapping).toMatchObject({ ...block, level: 2, writable: true });
    expect(mapping!.pfn % 512).toBe(0);
  });

  it('the alignment: guest page and file page have to be aligned alike', async () => {
    const { vm } = await setUp({}, { gfn: 1024, offset: 8 });
    expect(await vm.fault(1100)).toMatchObject({ level: 1 });
  });

  it('the slot: its ends do not reach past it', async () => {
    const { vm } = await setUp({}, { gfn: 1028, offset: 4 });
    expect(await vm.fault(1030)).toMatchObject({ level: 1 });
    expect(await vm.fault(1600)).toMatchObject({ level: 2 });
  });

  it('the attributes: one that differs splits it', async () => {
    const { vm } = await setUp();
    await vm.fault(1100);
    const attributes = MEMORY_ATTRIBUTE_PRIVATE;
    await vm.setMemoryAttributes({ address: 1030 * PAGE_SIZE, size: PAGE_SIZE, attributes });
    expect(vm.stage2.pages).toBe(0);
    expect(await vm.fault(1100)).toMatchObject({ level: 1 });
    expect(await vm.fault(1536)).toMatchObject({ level: 2 });
  });

  it('the dirty log allows: single pages', async () => {
    const { file, vm } = await setUp();
    await vm.fault(1100);
    const pieces = [{ gfn: 1024, pages: 1024, file, offset: 0 }];
    await vm.setMemslot({ slot: 0, gfn: 1024, pages: 1024, pieces, logDirty: true });
    expect(vm.stage2.pages).toBe(0);
    expect(await vm.fault(1100, { write: true })).toMatchObject({ level: 1 });
    expect(await vm.getDirtyLog(0)).toEqual([{ start: 1100, end: 1101 }]);
  });
});

describe('a large mapping', () => {
  it('goes as a whole when one page of it leaves', async () => {
    const { file, vm } = await setUp();
    await vm.fault(1100);
    await vm.fault(1536);
    await file.punchHole(3, 4);
    expect(vm.stage2.ranges()).toEqual([{ start: 1536, end: 2048 }]);
    expect(await vm.fault(1100)).toMatchObject({ level: 1 });
  });

  it('is not made while any page of it is leaving', async () => {
    const { file, vm } = await setUp();
    let letGo = (): void => {};
    await file.register({ invalidate: () => new Promise<void>((resolve) => (letGo = resolve)) });
    const punch = file.punchHole(3, 4);
    const fault = newFault(1100);
    do step(vm, fault);
    while (fault.next !== 'retry' && fault.next !== 'done');
    expect(fault.next).toBe('retry');
    expect(vm.stage2.pages).toBe(0);
    letGo();
    await punch;
  });

  it('counts what prefault got done', async () => {
    const { vm } = await setUp();
    const gpa = 1100 * PAGE_SIZE;
    expect(await vm.prefault({ gpa, size: 8 * PAGE_SIZE })).toEqual({ gpa: 1108 * 4096, size: 0 });
    expect(vm.stage2.pages).toBe(512);
  });
});
