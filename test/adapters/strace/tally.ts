import type { Trace } from '../../../adapters/strace/index.js';

/** One memory file as the tally describes it. */
export interface FileTally {
  name: string;
  flags: string;
  size: number;
  punch_calls: number;
  punch_bytes: number;
  punch_min: number;
  punch_max: number;
  punch_union_bytes: number;
  alloc_calls: number;
  alloc_bytes: number;
  shared_mmaps: number;
}

/** The part of a tally line that can be counted from actions and the summary. */
export interface Tally {
  complete_calls: number;
  never_resumed: number;
  failed: Record<string, number>;
  files_seen: number;
  punch_calls: number;
  punch_bytes: number;
  alloc_calls: number;
  alloc_bytes: number;
  shared_mmaps: number;
  madvise: Record<string, number>;
  madvise_bytes: Record<string, number>;
  memslots_set: number;
  memslots_deleted: number;
  memslots_set_with_dirty_log: number;
  distinct_slot_numbers: number;
  max_live_slots: number;
  slots_left_at_end: number;
  bytes_in_slots_at_end: number;
  files: FileTally[];
}

interface Counted extends FileTally {
  readonly punches: [start: number, end: number][];
  used: boolean;
}

/** Reads the trace and counts its actions by the tally's rules. */
export async function tallyOf(trace: Trace): Promise<Tally> {
  const files: Counted[] = [];
  const live = new Map<string, number>();
  const slots = new Set<number>();
  let maxLive = 0;
  let dirtyLog = 0;
  const at = (id: number): Counted => {
    const file = files[id - 1];
    if (!file) throw new Error(`file ${id} was not created`);
    return file;
  };
  for await (const batch of trace) {
    for (const action of batch) {
      switch (action.type) {
        case 'create':
          if (action.file !== files.length + 1) throw new Error('ids are not in order');
          files.push(emptyFile(action.name, action.flags));
          break;
        case 'resize':
          at(action.file).size = action.bytes;
          at(action.file).used = true;
          break;
        case 'allocate':
          at(action.file).alloc_calls += 1;
          at(action.file).alloc_bytes += action.length;
          at(action.file).used = true;
          break;
        case 'punch':
          punched(at(action.file), action.offset, action.length);
          break;
        case 'map':
          at(action.file).shared_mmaps += 1;
          at(action.file).used = true;
          break;
        case 'memslot': {
          const key = `${action.vm}/${action.slot}`;
          slots.add(action.slot);
          if (action.bytes === 0) live.delete(key);
          else live.set(key, action.bytes);
          if (action.flags.includes('KVM_MEM_LOG_DIRTY_PAGES')) dirtyLog += 1;
          maxLive = Math.max(maxLive, live.size);
          break;
        }
        case 'unmap':
        case 'drop':
        case 'remove':
        case 'release':
          break;
      }
    }
  }
  const { summary } = trace;
  const advice = [...summary.adviceCalls];
  return {
    complete_calls: summary.calls,
    never_resumed: summary.neverResumed,
    failed: Object.fromEntries(summary.failedCalls),
    files_seen: files.length,
    punch_calls: sum(files, (file) => file.punch_calls),
    punch_bytes: sum(files, (file) => file.punch_bytes),
    alloc_calls: sum(files, (file) => file.alloc_calls),
    alloc_bytes: sum(files, (file) => file.alloc_bytes),
    shared_mmaps: sum(files, (file) => file.shared_mmaps),
    madvise: Object.fromEntries(advice.map(([name, { calls }]) => [name, calls])),
    madvise_bytes: Object.fromEntries(advice.map(([name, { bytes }]) => [name, bytes])),
    memslots_set: summary.memslotsSet,
    memslots_deleted: summary.memslotsDeleted,
    memslots_set_with_dirty_log: dirtyLog,
    distinct_slot_numbers: slots.size,
    max_live_slots: maxLive,
    slots_left_at_end: live.size,
    bytes_in_slots_at_end: sum([...live.values()], (bytes) => bytes),
    files: files.filter((file) => file.used).map(finished),
  };
}

function emptyFile(name: string, flags: string): Counted {
  return {
    name,
    flags,
    size: 0,
    punch_calls: 0,
    punch_bytes: 0,
    punch_min: 0,
    punch_max: 0,
    punch_union_bytes: 0,
    alloc_calls: 0,
    alloc_bytes: 0,
    shared_mmaps: 0,
    punches: [],
    used: false,
  };
}

function punched(file: Counted, offset: number, length: number): void {
  file.punch_min = file.punch_calls === 0 ? length : Math.min(file.punch_min, length);
  file.punch_max = Math.max(file.punch_max, length);
  file.punch_calls += 1;
  file.punch_bytes += length;
  file.punches.push([offset, offset + length]);
  file.used = true;
}

function finished({ punches, used: _used, ...file }: Counted): FileTally {
  punches.sort(([a], [b]) => a - b);
  let reached = 0;
  for (const [start, end] of punches) {
    file.punch_union_bytes += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return file;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
