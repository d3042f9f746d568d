import { describe, expect, it } from 'vitest';
import { KVM_EVENTS, KvmVm, MEMORY_ATTRIBUTE_PRIVATE } from '../../adapters/kvm/index.js';
import { rerun } from '../../adapters/rerun/index.js';
import { createMemfile, MemoryJournal, PAGE_SIZE, replay } from '../../core/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { prefix } from '../plugins/reopening.js';

const setUp = () => {
  const journal = new MemoryJournal();
  const memfile = createMemfile({ plugins: [shmem()], journal, record: 'deliveries' });
  const file = memfile.createFile('shmem', { size: 16, name: 'ram' });
  const other = memfile.createFile('shmem', { size: 16, name: 'other' });
  const vm = new KvmVm({ name: 'vm', memfile });
  const at = (position = journal.position) =>
    replay(journal, position, [KVM_EVENTS]).own.of(KVM_EVENTS).vms;
  return { journal, memfile, file, other, vm, at };
};

/** What a VM has, said as its events would. */
const slotsOf = (vm: KvmVm) =>
  [...vm.slots]
    .map(({ slot, gfn, pages, logDirty, readOnly, pieces, guestMemfd }) => ({
      slot,
      gfn,
      pages,
      logDirty,
      readOnly,
      pieces: pieces.map(({ file, ...piece }) => ({ ...piece, file: file.id })),
      ...(guestMemfd && { guestMemfd: { ...guestMemfd, file: guestMemfd.file.id } }),
    }))
    .sort((a, b) => a.slot - b.slot);

const pieceOf = (file: ReturnType<typeof setUp>['file'], gfn: number) => ({
  gfn,
  pages: 4,
  file,
  offset: 0,
});

describe('what KVM records of its own', () => {
  it('its slots are in the journal at every position, as they are in the VM', async () => {
    const { journal, memfile, file, other, vm, at } = setUp();
    const expected: [number, ReturnType<typeof slotsOf>][] = [];
    const steps = [
      { slot: 1, gfn: 8, pages: 4, pieces: [pieceOf(file, 8)] },
      { slot: 0, gfn: 0, pages: 4, pieces: [pieceOf(other, 0)] },
      { slot: 1, gfn: 8, pages: 4, pieces: [pieceOf(file, 8)], logDirty: true },
      { slot: 1, gfn: 16, pages: 4, pieces: [pieceOf(file, 16)], logDirty: true },
      { slot: 2, gfn: 32, pages: 4, guestMemfd: { file, offset: 8 } },
      { slot: 0, gfn: 0, pages: 0 },
    ];
    for (const step of steps) {
      await vm.setMemslot(step);
      expected.push([journal.position, slotsOf(vm)]);
    }
    await vm.setMemslot(steps[4]!).catch(() => {}); // It is there already: nothing is recorded.
    expect(journal.position).toBe(expected.at(-1)![0]);
    for (const [position, slots] of expected) {
      expect(at(position)).toEqual([{ vm: 1, name: 'vm', slots, private: [] }]);
    }
    expect(expected.map(([, slots]) => slots.length)).toEqual([1, 2, 2, 2, 3, 2]);
    expect(memfile.replay().toJSON()).toEqual(memfile.state.toJSON());
    await vm[Symbol.asyncDispose]();
    expect(at()).toEqual([]);
  });

  it('attributes of its own, and not those that files have', async () => {
    const { file, vm, at } = setUp();
    await vm.setMemslot({ slot: 0, gfn: 0, pages: 4, guestMemfd: { file, offset: 0 } });
    const set = (start: number, end: number, attributes: number) =>
      vm.setMemoryAttributes({
        address: start * PAGE_SIZE,
        size: (end - start) * PAGE_SIZE,
        attributes,
      });
    await set(2, 12, MEMORY_ATTRIBUTE_PRIVATE);
    expect(at()[0]!.private).toEqual([{ start: 4, end: 12 }]);
    expect(file.privatePages()).toEqual([{ start: 2, end: 4 }]);
    await set(6, 8, 0);
    await set(20, 22, MEMORY_ATTRIBUTE_PRIVATE);
    const ranges = [
      { start: 4, end: 6 },
      { start: 8, end: 12 },
      { start: 20, end: 22 },
    ];
    expect(at()[0]!.private).toEqual(ranges);
    expect(vm.attributes.privateRanges(4)).toEqual(ranges);
  });

  it('VMs are told apart, also those of one name, and die with their process', async () => {
    const { journal, memfile, file, vm, at } = setUp();
    const twin = new KvmVm({ name: 'vm', memfile });
    await twin.setMemslot({ slot: 7, gfn: 0, pages: 4, pieces: [pieceOf(file, 0)] });
    await vm.setMemslot({ slot: 3, gfn: 0, pages: 4, pieces: [pieceOf(file, 0)] });
    const numbers = at().map(({ vm, slots }) => [vm, slots.map(({ slot }) => slot)]);
    expect(numbers).toEqual([
      [1, [3]],
      [2, [7]],
    ]);
    const again = createMemfile({ plugins: [shmem()], journal: prefix(journal) });
    const { state } = again.declare(KVM_EVENTS);
    expect(state).toEqual({ lastVm: 2, vms: [] });
    expect(new KvmVm({ memfile: again }).name).toBe('kvm');
    expect(again.declare(KVM_EVENTS).state.vms).toMatchObject([{ vm: 3, name: 'kvm' }]);
  });

  it('a recording with a VM is driven again to the same events', async () => {
    const { journal, memfile, file, vm } = setUp();
    await vm.setMemslot({ slot: 0, gfn: 0, pages: 8, guestMemfd: { file, offset: 0 } });
    await vm.fault(2);
    const attributes = MEMORY_ATTRIBUTE_PRIVATE;
    await vm.setMemoryAttributes({ address: 64 * PAGE_SIZE, size: PAGE_SIZE, attributes });
    await file.punchHole(0, 4);
    await vm[Symbol.asyncDispose]();
    await memfile[Symbol.asyncDispose]();
    const own = [...journal.read(1)].filter(({ type }) => type === 'plugin');
    expect(own).toHaveLength(5);
    expect(await rerun(journal, () => [shmem()])).toBeUndefined();
  });
});
