import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MirroredSpaces } from '../../../adapters/strace-thread/mirrored-spaces.js';
import { ActionPacker } from '../../../adapters/strace-thread/packed-actions.js';
import { unpackActions } from '../../../adapters/strace-thread/unpack-actions.js';
import { readTrace, type TraceAction } from '../../../adapters/strace/index.js';
import { logFile, plain } from '../strace/logs.js';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const recorded = readdirSync(fixtures).filter((name) => name.endsWith('.strace.gz'));

/** Every kind of action, with flags and numbers at their edges. */
const EVERY_KIND = `
1 memfd_create("ram", MFD_CLOEXEC|MFD_HUGETLB) = 3
1 ftruncate(3, 9007199254736896) = 0
1 fallocate(3, 0, 0, 8192) = 0
1 fallocate(3, FALLOC_FL_KEEP_SIZE, 8192, 8192) = 0
1 mmap(NULL, 65536, PROT_READ, MAP_SHARED, 3, 0x1000) = 0x7f0000000000
1 mmap(0x7f0000002000, 4096, PROT_READ, MAP_SHARED|MAP_FIXED, 3, 0) = 0x7f0000002000
1 madvise(0x7f0000000000, 16384, MADV_DONTNEED) = 0
1 madvise(0x7f0000000000, 16384, MADV_REMOVE) = 0
1 fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 0, 4096) = 0
1 ioctl(8, KVM_CREATE_VM, 0) = 9
1 ioctl(9, KVM_SET_USER_MEMORY_REGION, {slot=1, flags=KVM_MEM_READONLY, guest_phys_addr=0xc0000, memory_size=8192, userspace_addr=0x7f0000000000}) = 0
1 clone(child_stack=NULL, flags=SIGCHLD) = 2
2 munmap(0x7f0000000000, 4096) = 0
1 close(9) = 0
2 +++ exited with 0 +++
1 close(3) = 0
1 munmap(0x7f0000000000, 65536) = 0
`;

/** Each action, and what its space has where it is about. */
function look(actions: readonly TraceAction[]): unknown[] {
  const seen = plain(actions);
  const found = actions.map((action) =>
    'space' in action ? action.space.resolve(0, 2 ** 48) : [],
  );
  return [...seen, ...found];
}

describe('actions that go to another thread', () => {
  it.each([...recorded, undefined])('arrive as they were: %s', async (name) => {
    const path = name === undefined ? logFile(EVERY_KIND.trimStart()) : `${fixtures}${name}`;
    const spaces = new MirroredSpaces();
    const packer = new ActionPacker();
    const kinds = new Set<string>();
    for await (const batch of readTrace(path)) {
      packer.add(batch);
      const [unpacked, ...more] = unpackActions(structuredClone(packer.take()), spaces);
      expect(more).toEqual([]);
      expect(look(unpacked!)).toEqual(look(batch));
      for (const { type } of batch) kinds.add(type);
    }
    if (name === undefined) expect(kinds.size).toBe(11);
  });

  it('keep their batches when several go at once', async () => {
    const batches: unknown[][] = [];
    const packer = new ActionPacker();
    for await (const batch of readTrace(logFile(EVERY_KIND.trimStart()))) {
      batches.push(plain(batch));
      packer.add(batch);
    }
    expect(packer.empty).toBe(false);
    const unpacked = [...unpackActions(packer.take(), new MirroredSpaces())];
    expect(unpacked.map(plain)).toEqual(batches);
    expect(packer.empty).toBe(true);
  });
});
