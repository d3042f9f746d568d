import {
  MemfileError,
  PAGE_SIZE,
  type ErrnoCode,
  type Memfile,
  type MemoryFile,
  type PageRange,
} from '../../core/index.js';
import { KvmVm } from '../kvm/index.js';
import type { TraceAction } from '../strace/index.js';
import { VmmMapping } from '../vmm-mapping/index.js';
import type { Witness } from '../witness.js';
import { DEVICE, DeviceRun, type DeviceReport } from './device-run.js';
import { FileRun, type FileReport } from './file-run.js';
import { addressSpaceOf, VmRun } from './vm-run.js';

export interface ConsumerReport {
  /** Begins with the kind: 'mapping 3', 'kvm 1 file 2', 'device'. */
  readonly name: string;
  readonly file: number;
  /** How many events it was told of. */
  readonly notifications: number;
  /** How many translations those took away. */
  readonly zappedPages: number;
}

/** What a store had no room for; the run goes on without. */
export interface Refusals {
  /** Touches of a huge page that was not there, by one consumer, before a punch. */
  faults: number;
  /** Calls of fallocate; what they added before stays. */
  fallocates: number;
  /** The first of them: the last position of the journal then, and the page asked for. */
  readonly first: { readonly position: number; readonly file: number; readonly page: number };
}

/** Pages of one punch that are assumed to have been touched: 4 GiB. */
const TOUCHED_AT_ONCE = 2 ** 20;
/** What processes do at their end; what a device has by then would be nothing. */
const WINDING_UP: ReadonlySet<TraceAction['type']> = new Set(['unmap', 'drop', 'release']);
/** Pages that are touched between two looks at the clock. */
const SLICE = 4096;

type ActionOf<T extends TraceAction['type']> = Extract<TraceAction, { readonly type: T }>;

interface MappingRun {
  readonly mapping: VmmMapping;
  readonly file: number;
  readonly address: number;
  /** The first page of the file that is mapped. */
  readonly page: number;
}

/**
 * Drives what programs did, as a trace has it, through memory files, mappings and KVM.
 *
 * Stores through mappings leave no line in a trace. So the driver assumes that every mapped page
 * was touched again before it is punched, and faults the range in just before.
 */
export class TraceDriver {
  readonly #memfile: Memfile;
  readonly #store: string;
  readonly #witness: Witness;
  readonly #onProgress: () => void;
  readonly #files = new Map<number, FileRun>();
  readonly #mappings = new Map<number, MappingRun>();
  /** By the name of the VM, one for each of its address spaces. */
  readonly #vms = new Map<string, VmRun>();
  readonly refused = new Map<ErrnoCode, Refusals>();
  #device: DeviceRun | undefined;

  /** @param onProgress called now and then within long steps. */
  constructor(memfile: Memfile, store: string, witness: Witness, onProgress: () => void) {
    this.#onProgress = onProgress;
    this.#memfile = memfile;
    this.#store = store;
    this.#witness = witness;
  }

  /** Attaches a device with so many mappings at most to every file that is created from now on. */
  async addDevice(budget: number): Promise<void> {
    this.#device = await DeviceRun.create(budget, this.#witness);
  }

  /** What became of the device's mappings, if there is one. */
  device(): DeviceReport | undefined {
    return this.#device?.report();
  }

  /** In the order of creation. */
  files(): FileReport[] {
    return [...this.#files.values()].map((run) => run.report());
  }

  consumers(): ConsumerReport[] {
    const mappings = [...this.#mappings.values()].map(({ mapping, file }) => {
      const { name, notifications, zappedPages } = mapping;
      return { name, file, notifications, zappedPages };
    });
    const vms = [...this.#vms].flatMap(([id, { vm }]) =>
      [...vm.tallies].map(([{ id: file }, tally]) => ({ name: kvmName(id, file), file, ...tally })),
    );
    const attachments = this.#device?.attachments ?? [];
    const device = attachments.map(({ file: { id: file }, notifications, zappedPages }) => {
      return { name: DEVICE, file, notifications, zappedPages };
    });
    return [...mappings, ...vms, ...device];
  }

  get liveSlots(): number {
    return [...this.#vms.values()].reduce((sum, vm) => sum + vm.liveSlots, 0);
  }

  get maxLiveSlots(): number {
    return [...this.#vms.values()].reduce((most, vm) => Math.max(most, vm.maxLiveSlots), 0);
  }

  apply(action: TraceAction): Promise<void> {
    const applied = this.#apply(action);
    const device = this.#device;
    if (device === undefined || WINDING_UP.has(action.type)) return applied;
    return applied.then(() => device.measure());
  }

  // Async functions within async functions would cost more than many an action.
  #apply(action: TraceAction): Promise<void> {
    switch (action.type) {
      case 'create':
        return this.#create(action);
      case 'resize':
        return this.#resize(action);
      case 'allocate':
        return this.#allocate(action);
      case 'punch':
      case 'remove':
        return this.#punch(action);
      case 'map':
        return this.#map(action);
      case 'unmap':
        return this.#unmap(action);
      case 'drop':
        return this.#drop(action);
      case 'memslot':
        return this.#vm(action).set(action);
      case 'release':
        return this.#run(action.file).file.close();
    }
  }

  async #create({ file: id, name, hugetlb }: ActionOf<'create'>): Promise<void> {
    const file = this.#memfile.createFile(this.#store, { size: 0, name });
    this.#files.set(id, new FileRun(file, hugetlb, this.#memfile.state));
    await this.#device?.attach(file);
  }

  async #resize({ file, bytes }: ActionOf<'resize'>): Promise<void> {
    const run = this.#run(file);
    run.sizeBytes = bytes;
    run.sizeKnown = true;
    await run.file.truncate(run.pagesOf(bytes));
    run.measure();
  }

  async #allocate({ file, offset, length, keepSize }: ActionOf<'allocate'>): Promise<void> {
    const run = this.#run(file);
    const start = Math.floor(offset / PAGE_SIZE);
    const end = Math.ceil((offset + length) / PAGE_SIZE);
    try {
      await run.file.fallocate(start, end, { keepSize });
    } catch (error) {
      this.#expectNoRoom(error, 'fallocates', run, start);
    }
    if (!keepSize) run.sizeBytes = Math.max(run.sizeBytes, offset + length);
    run.fallocateCalls++;
    run.measure();
  }

  async #unmap(action: ActionOf<'unmap'>): Promise<void> {
    const mapped = this.#mappings.get(action.mapping);
    if (mapped === undefined) return; // It was impossible to map.
    const { start, end } = pagesOf(mapped, action);
    await mapped.mapping.unmap(start, end);
    if (action.gone) this.#run(mapped.file).mappings.delete(mapped.mapping);
    await this.#remapped(action);
  }

  async #drop(action: ActionOf<'drop'>): Promise<void> {
    const mapped = this.#mappings.get(action.mapping);
    if (mapped === undefined) return; // It was impossible to map.
    const { start, end } = pagesOf(mapped, action);
    mapped.mapping.drop(start, end);
    for (const vm of this.#vms.values()) {
      if (vm.space === action.space) vm.dropped(action.address, action.length);
    }
  }

  async #map(action: ActionOf<'map'>): Promise<void> {
    const { mapping: id, file, address, length, offset } = action;
    const page = offset / PAGE_SIZE;
    const range = { start: page, end: page + Math.ceil(length / PAGE_SIZE) };
    const mapping = await VmmMapping.create(this.#run(file).file, {
      range,
      name: `mapping ${id}`,
      witness: this.#witness,
    });
    this.#mappings.set(id, { mapping, file, address, page });
    this.#run(file).mappings.add(mapping);
    await this.#growToMapped(this.#run(file), range.end);
    await this.#remapped(action);
  }

  /** A file that was there before the trace is at least as large as what is mapped of it. */
  async #growToMapped(run: FileRun, pages: number): Promise<void> {
    if (run.sizeKnown || pages <= run.file.pages) return;
    run.sizeBytes = pages * PAGE_SIZE;
    await run.file.truncate(run.pagesOf(run.sizeBytes));
  }

  /** Faults in what consumers have mapped of `[start, end)`, a slice at a time. */
  async #touch(run: FileRun, start: number, end: number): Promise<void> {
    const last = Math.min(end, start + TOUCHED_AT_ONCE);
    const { file } = run;
    const mappings = [...run.mappings].filter(({ range }) => overlaps(range, { start, end }));
    const vms = [...this.#vms.values()].filter(({ vm }) => vm.tallies.has(file));
    const consumers = [
      ...mappings.map((mapping) => (from: number, to: number) => mapping.touch(from, to)),
      ...vms.map(
        ({ vm }) =>
          (from: number, to: number) =>
            vm.touch(file, from, to),
      ),
    ];
    if (mappings.length > 0) run.untouchedPages += end - last;
    if (consumers.length === 0) return;
    const { granule } = file;
    for (let from = start, to; from < last; from = to) {
      // A huge page at a time, as a process does: one that is refused stops nobody else.
      const stop = granule === 1 ? from + SLICE : from - (from % granule) + granule;
      to = Math.min(stop, last);
      for (const touch of consumers) {
        try {
          await touch(from, to);
        } catch (error) {
          this.#expectNoRoom(error, 'faults', run, from);
        }
      }
      if (to < last) this.#onProgress();
    }
  }

  /** Counts what the store or the device had no room for; throws any other error. */
  #expectNoRoom(
    error: unknown,
    what: 'faults' | 'fallocates',
    { file }: FileRun,
    page: number,
  ): void {
    if (this.#device?.refused(error) === true) return;
    if (!(error instanceof MemfileError)) throw error;
    const { code } = error;
    if (code !== 'ENOSPC' && code !== 'ENOMEM') throw error;
    let refusals = this.refused.get(code);
    if (refusals === undefined) {
      const first = { position: this.#memfile.journal.position, file: file.id, page };
      this.refused.set(code, (refusals = { faults: 0, fallocates: 0, first }));
    }
    refusals[what]++;
  }

  /** Whole pages only: the kernel zeroes the parts of pages at the ends and keeps them. */
  async #punch({ type, file, offset, length }: ActionOf<'punch' | 'remove'>): Promise<void> {
    const run = this.#run(file);
    const start = Math.ceil(offset / PAGE_SIZE);
    // Nothing can be mapped past the end, so nobody needs to be told of it.
    const end = Math.min(Math.floor((offset + length) / PAGE_SIZE), run.limit);
    let zapped = 0;
    if (start < end) {
      if (run.mappings.size > 0 || this.#vms.size > 0) await this.#touch(run, start, end);
      run.measure();
      const there = run.file.populated(start, end);
      const before = this.#zapped(run);
      const reason = type === 'punch' ? 'punch' : 'madvise';
      await run.file.punchHole(start, end, { reason });
      run.measure();
      zapped = this.#zapped(run) - before;
      if (type === 'punch') run.freed(run.gone(there));
    }
    if (type === 'punch') run.punched(offset, length, zapped);
    else run.removed(length);
  }

  async #remapped(action: ActionOf<'map' | 'unmap'>): Promise<void> {
    for (const vm of this.#vms.values()) {
      if (vm.space === action.space) await vm.remapped(action.address, action.length);
    }
  }

  /** How many translations of the file were taken away so far. */
  #zapped({ file, mappings }: FileRun): number {
    let zapped = 0;
    for (const { zappedPages } of mappings) zapped += zappedPages;
    for (const { vm } of this.#vms.values()) zapped += vm.tallies.get(file)?.zappedPages ?? 0;
    return zapped + (this.#device?.zapped(file) ?? 0);
  }

  #vm({ vm, slot, space }: ActionOf<'memslot'>): VmRun {
    const addressSpace = addressSpaceOf(slot);
    const id = addressSpace === 0 ? `${vm}` : `${vm} space ${addressSpace}`;
    let run = this.#vms.get(id);
    if (run === undefined) {
      const [witness, memfile] = [this.#witness, this.#memfile];
      const consumerName = (_slot: number, file: MemoryFile): string => kvmName(id, file.id);
      const vm = new KvmVm({ name: `kvm ${id}`, witness, consumerName, memfile });
      run = new VmRun(vm, space, (file) => this.#run(file).file);
      this.#vms.set(id, run);
    }
    return run;
  }

  #run(id: number): FileRun {
    const run = this.#files.get(id);
    if (run === undefined) throw new RangeError(`the trace has no file ${id}`);
    return run;
  }
}

function kvmName(vm: string, file: number): string {
  return `kvm ${vm} file ${file}`;
}

/** The pages of the file that an action on a part of its mapping is about. */
function pagesOf(
  { page, address }: MappingRun,
  part: { readonly address: number; readonly length: number },
): PageRange {
  const start = page + (part.address - address) / PAGE_SIZE;
  return { start, end: start + Math.ceil(part.length / PAGE_SIZE) };
}

function overlaps(a: PageRange, b: PageRange): boolean {
  return a.start < b.end && b.start < a.end;
}
