import {
  PAGE_SIZE,
  type ErrnoCode,
  type Memfile,
  type MemoryFile,
  type PageRange,
} from '../../core/index.js';
import { KvmVm } from '../kvm/index.js';
import { KnownOver } from '../known-over.js';
import type { TraceAction } from '../strace/index.js';
import { VmmMapping } from '../vmm-mapping/index.js';
import type { Witness } from '../witness.js';
import { DEVICE, DeviceRun, type DeviceReport } from './device-run.js';
import { FileRun, type FileReport } from './file-run.js';
import { pagesOf, type MappingRun } from './mapping-run.js';
import { RefusalCounts, type Refusals } from './refusals.js';
import { Touching, type Toucher } from './touching.js';
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

/** Pages of one punch that are assumed to have been touched: 4 GiB. */
const TOUCHED_AT_ONCE = 2 ** 20;
/** What processes do at their end; what a device has by then would be nothing. */
const WINDING_UP: ReadonlySet<TraceAction['type']> = new Set(['unmap', 'drop', 'release']);
const KEEP_SIZE = { keepSize: true } as const;
const MADVISE = { reason: 'madvise' } as const;

type ActionOf<T extends TraceAction['type']> = Extract<TraceAction, { readonly type: T }>;

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
  /** Those of VMs that are not destroyed. */
  readonly #live = new Set<VmRun>();
  readonly #refused = new RefusalCounts();
  /** Who has mapped each file; forgotten when anything is mapped anew. */
  readonly #users = new Map<FileRun, readonly Toucher[]>();
  readonly #over = new KnownOver();
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

  /** What there was no room for, by error code. */
  get refused(): ReadonlyMap<ErrnoCode, Refusals> {
    return this.#refused.byCode;
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

  get maxLiveSlots(): number {
    return [...this.#vms.values()].reduce((most, vm) => Math.max(most, vm.maxLiveSlots), 0);
  }

  /** Does what the action says; undefined when it is over, so that nobody has to wait for that. */
  apply(action: TraceAction): Promise<void> | undefined {
    const applied = this.#apply(action);
    const device = this.#device;
    if (device === undefined || WINDING_UP.has(action.type)) return applied;
    if (applied !== undefined) return applied.then(() => device.measure());
    device.measure();
    return undefined;
  }

  // What a log has by the thousand is done without a promise unless there is something to wait for.
  #apply(action: TraceAction): Promise<void> | undefined {
    switch (action.type) {
      case 'allocate':
        return this.#allocate(action);
      case 'punch':
      case 'remove':
        return this.#punch(action);
      case 'drop':
        this.#drop(action);
        return undefined;
      case 'resize':
        return this.#resize(action);
      case 'release':
        return this.#run(action.file).file.close();
      case 'create':
        return this.#create(action);
    }
    this.#users.clear();
    switch (action.type) {
      case 'map':
        return this.#map(action);
      case 'unmap':
        return this.#unmap(action);
      case 'memslot':
        return this.#vm(action).set(action);
      case 'destroy':
        return this.#destroy(action.vm);
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

  #allocate(action: ActionOf<'allocate'>): Promise<void> | undefined {
    const { offset, length, keepSize } = action;
    const run = this.#run(action.file);
    const start = Math.floor(offset / PAGE_SIZE);
    const end = Math.ceil((offset + length) / PAGE_SIZE);
    const allocated = run.file.fallocate(start, end, keepSize ? KEEP_SIZE : undefined);
    if (!this.#over.has(allocated)) return this.#waitForAllocated(allocated, action, run, start);
    this.#allocated(action, run);
    return undefined;
  }

  async #waitForAllocated(
    allocated: Promise<void>,
    action: ActionOf<'allocate'>,
    run: FileRun,
    start: number,
  ): Promise<void> {
    try {
      await this.#over.wait(allocated);
    } catch (error) {
      this.#expectNoRoom(error, 'fallocates', run, start);
    }
    this.#allocated(action, run);
  }

  #allocated({ offset, length, keepSize }: ActionOf<'allocate'>, run: FileRun): void {
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

  #drop(action: ActionOf<'drop'>): void {
    const mapped = this.#mappings.get(action.mapping);
    if (mapped === undefined) return; // It was impossible to map.
    const { start, end } = pagesOf(mapped, action);
    mapped.mapping.drop(start, end);
    for (const vm of this.#live) {
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

  /** Faults in what consumers have mapped of `[start, end)`; undefined when that is over. */
  #touch(run: FileRun, start: number, end: number): Promise<void> | undefined {
    const last = Math.min(end, start + TOUCHED_AT_ONCE);
    if (last < end && [...run.mappings].some(({ range }) => overlaps(range, { start, end }))) {
      run.untouchedPages += end - last;
    }
    const users = this.#usersOf(run);
    if (users.length === 0) return undefined;
    const touching = new Touching(users, start, last, run.file.granule, this.#onProgress);
    const touched = touching.advance();
    return touched && this.#finishTouching(run, touching, touched);
  }

  async #finishTouching(run: FileRun, touching: Touching, touched: Promise<void>): Promise<void> {
    for (let wait: Promise<void> | undefined = touched; wait; wait = touching.advance()) {
      try {
        await wait;
      } catch (error) {
        this.#expectNoRoom(error, 'faults', run, touching.from);
      }
    }
  }

  /** Everybody who has mapped pages of the file: processes, then VMs. */
  #usersOf(run: FileRun): readonly Toucher[] {
    let users = this.#users.get(run);
    if (users === undefined) {
      const { file } = run;
      const vms = [...this.#live].filter(({ vm }) => vm.tallies.has(file));
      const guests = vms.map(({ vm }) => {
        return { touch: (start: number, end: number) => vm.touch(file, start, end) };
      });
      this.#users.set(run, (users = [...run.mappings, ...guests]));
    }
    return users;
  }

  /** Counts what the store or the device had no room for; throws any other error. */
  #expectNoRoom(
    error: unknown,
    what: 'faults' | 'fallocates',
    { file }: FileRun,
    page: number,
  ): void {
    if (this.#device?.refused(error) === true) return;
    const { position } = this.#memfile.journal;
    this.#refused.expect(error, what, () => ({ position, file: file.id, page }));
  }

  /** Whole pages only: the kernel zeroes the parts of pages at the ends and keeps them. */
  #punch(action: ActionOf<'punch' | 'remove'>): Promise<void> | undefined {
    const { offset, length } = action;
    const run = this.#run(action.file);
    const start = Math.ceil(offset / PAGE_SIZE);
    // Nothing can be mapped past the end, so nobody needs to be told of it.
    const end = Math.min(Math.floor((offset + length) / PAGE_SIZE), run.limit);
    if (start >= end) {
      this.#count(action, run, 0);
      return undefined;
    }
    const touched = this.#touch(run, start, end);
    return touched === undefined
      ? this.#take(action, run, start, end)
      : touched.then(() => this.#take(action, run, start, end));
  }

  #take(
    action: ActionOf<'punch' | 'remove'>,
    run: FileRun,
    start: number,
    end: number,
  ): Promise<void> | undefined {
    run.measure();
    const there = run.file.populated(start, end);
    const before = this.#zapped(run);
    const options = action.type === 'punch' ? undefined : MADVISE;
    const punched = run.file.punchHole(start, end, options);
    if (!this.#over.has(punched)) {
      return this.#over.wait(punched).then(() => this.#taken(action, run, there, before));
    }
    this.#taken(action, run, there, before);
    return undefined;
  }

  #taken(
    action: ActionOf<'punch' | 'remove'>,
    run: FileRun,
    there: readonly PageRange[],
    before: number,
  ): void {
    run.measure();
    if (action.type === 'punch') run.freed(run.gone(there));
    this.#count(action, run, this.#zapped(run) - before);
  }

  #count({ type, offset, length }: ActionOf<'punch' | 'remove'>, run: FileRun, zapped: number) {
    if (type === 'punch') run.punched(offset, length, zapped);
    else run.removed(length);
  }

  async #remapped(action: ActionOf<'map' | 'unmap'>): Promise<void> {
    for (const vm of this.#live) {
      if (vm.space === action.space) await vm.remapped(action.address, action.length);
    }
  }

  /** How many translations of the file were taken away so far. */
  #zapped({ file, mappings }: FileRun): number {
    let zapped = 0;
    for (const { zappedPages } of mappings) zapped += zappedPages;
    for (const { vm } of this.#live) zapped += vm.tallies.get(file)?.zappedPages ?? 0;
    return zapped + (this.#device?.zapped(file) ?? 0);
  }

  /** Its address spaces take no part any more, and stay in the report. */
  async #destroy(id: number): Promise<void> {
    for (const [name, run] of this.#vms) {
      if (name !== `${id}` && !name.startsWith(`${id} `)) continue;
      this.#live.delete(run);
      await run.vm[Symbol.asyncDispose]();
    }
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
      this.#live.add(run);
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

function overlaps(a: PageRange, b: PageRange): boolean {
  return a.start < b.end && b.start < a.end;
}
