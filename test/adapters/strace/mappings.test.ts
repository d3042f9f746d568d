import { describe, expect, test } from 'vitest';
import type { MappedPiece } from '../../../adapters/strace/index.js';
import { actionsOf, traceOf } from './logs.js';

const SETUP = [
  'memfd_create("a", 0) = 3',
  'mmap(NULL, 65536, PROT_READ|PROT_WRITE, MAP_SHARED, 3, 0x10000) = 0x100000',
];
const map = (mapping: number, address: number, length: number, offset: number) => ({
  type: 'map',
  mapping,
  space: 1,
  file: 1,
  address,
  length,
  offset,
});
const unmap = (mapping: number, address: number, length: number, gone: boolean) => ({
  type: 'unmap',
  mapping,
  space: 1,
  address,
  length,
  gone,
});

async function after(lines: readonly string[]): Promise<unknown[]> {
  return (await actionsOf([...SETUP, ...lines])).slice(1);
}

describe('mappings', () => {
  test('MAP_FIXED in the middle splits the older one; the rest is seen at its own offset', async () => {
    const actions = await after([
      'mmap(0x104000, 8192, PROT_NONE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0) = 0x104000',
      'madvise(0x103000, 16384, MADV_REMOVE) = 0',
      'munmap(0x100000, 65536) = 0',
    ]);
    expect(actions).toEqual([
      map(1, 0x100000, 65536, 0x10000),
      unmap(1, 0x104000, 8192, false),
      { type: 'remove', file: 1, mapping: 1, offset: 0x13000, length: 4096 },
      { type: 'remove', file: 1, mapping: 1, offset: 0x16000, length: 4096 },
      unmap(1, 0x100000, 0x4000, false),
      unmap(1, 0x106000, 0xa000, true),
      { type: 'release', file: 1 },
    ]);
  });

  test('MAP_FIXED of the file over itself gives a new mapping', async () => {
    const actions = await after([
      'mmap(0x100000, 65000, PROT_READ, MAP_SHARED_VALIDATE|MAP_FIXED, 3, 0) = 0x100000',
    ]);
    expect(actions.slice(0, 3)).toEqual([
      map(1, 0x100000, 65536, 0x10000),
      unmap(1, 0x100000, 65536, true),
      map(2, 0x100000, 65536, 0),
    ]);
  });

  test('a mapping keeps its file when the descriptor is closed; so does a private one', async () => {
    const actions = await after([
      'mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0) = 0x200000',
      'close(3) = 0',
      'munmap(0x100000, 65536) = 0',
      'memfd_create("b", 0) = 5',
      'munmap(0x200000, 1) = 0',
    ]);
    expect(actions).toEqual([
      map(1, 0x100000, 65536, 0x10000),
      unmap(1, 0x100000, 65536, true),
      { type: 'create', file: 2, name: 'b', flags: '0', hugetlb: false },
      { type: 'release', file: 1 },
      { type: 'release', file: 2 },
    ]);
  });

  test('DONTNEED drops what it covers of shared mappings, to the page, and counts as asked', async () => {
    const trace = traceOf([
      ...SETUP,
      'madvise(0xff000, 8000, MADV_DONTNEED) = 0',
      'madvise(0x900000, 5, MADV_DONTNEED) = 0',
      'madvise(0x100000, 4096, MADV_HUGEPAGE) = 0',
    ]);
    const drops: unknown[] = [];
    for await (const batch of trace) {
      for (const action of batch) {
        if (action.type === 'drop') drops.push({ ...action, space: action.space.id });
      }
    }
    expect(drops).toEqual([
      { type: 'drop', mapping: 1, space: 1, address: 0x100000, length: 4096 },
    ]);
    expect(Object.fromEntries(trace.summary.adviceCalls)).toEqual({
      MADV_DONTNEED: { calls: 2, bytes: 8005 },
      MADV_HUGEPAGE: { calls: 1, bytes: 4096 },
    });
  });
});

describe('memslots', () => {
  const region = (slot: number, gpa: string, size: number, hva: string) =>
    `{slot=${slot}, flags=0, guest_phys_addr=${gpa}, memory_size=${size}, userspace_addr=${hva}}`;

  test('resolve to the file, as it is mapped at that moment', async () => {
    const trace = traceOf([
      ...SETUP,
      'ioctl(8, KVM_CREATE_VM, 0) = 9',
      `ioctl(9, KVM_SET_USER_MEMORY_REGION, ${region(65536, '0xc0000', 131072, '0xff000')}) = 0`,
      'munmap(0x102000, 4096) = 0',
      `ioctl(9, KVM_SET_USER_MEMORY_REGION, ${region(1, '0', 16384, '0x101000')}) = 0`,
      `ioctl(9, KVM_SET_USER_MEMORY_REGION, ${region(1, '0', 0, '0x101000')}) = 0`,
      `ioctl(7, KVM_SET_USER_MEMORY_REGION, ${region(1, '0', 4096, '0x1')}) = 0`,
      'ioctl(9, KVM_SET_USER_MEMORY_REGION, 0x7ffe) = 0',
      'munmap(0x100000, 65536) = 0',
    ]);
    const seen: unknown[] = [];
    const resolved: MappedPiece[][] = [];
    for await (const batch of trace) {
      for (const action of batch) {
        if (action.type !== 'memslot') continue;
        seen.push([action.vm, action.slot, action.gpa, action.bytes, action.hva, action.flags]);
        resolved.push(action.space.resolve(action.hva, action.bytes));
      }
    }
    expect(seen).toEqual([
      [1, 65536, 0xc0000, 131072, 0xff000, '0'],
      [1, 1, 0, 16384, 0x101000, '0'],
      [1, 1, 0, 0, 0x101000, '0'],
      [2, 1, 0, 4096, 1, '0'],
    ]);
    const piece = (address: number, length: number, offset: number) => ({
      mapping: 1,
      file: 1,
      address,
      length,
      offset,
    });
    expect(resolved).toEqual([
      [piece(0x100000, 65536, 0x10000)],
      [piece(0x101000, 4096, 0x11000), piece(0x103000, 8192, 0x13000)],
      [],
      [],
    ]);
    expect(trace.summary).toMatchObject({ memslotsSet: 3, memslotsDeleted: 1 });
    expect([...trace.summary.unknownCalls.keys()]).toEqual([
      'ioctl KVM_SET_USER_MEMORY_REGION with unreadable arguments',
    ]);
  });

  test('go with their VM when its last descriptor is closed or used again', async () => {
    const actions = await actionsOf([
      'ioctl(8, KVM_CREATE_VM, 0) = 9',
      'ioctl(8, KVM_CREATE_VM, 0) = 10',
      'dup(9) = 11',
      'close(9) = 0',
      'ioctl(8, KVM_CREATE_VM, 0) = 10',
      'close(11) = 0',
    ]);
    // The third is there when the log ends.
    expect(actions).toEqual([
      { type: 'destroy', vm: 2 },
      { type: 'destroy', vm: 1 },
    ]);
  });
});
