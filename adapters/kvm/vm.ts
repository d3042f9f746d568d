import {
  Extents,
  MemfileError,
  MicrotaskScheduler,
  SrcuDomain,
  type MemoryFile,
  type PageRange,
  type PluginHost,
  type Scheduler,
} from '../../core/index.js';
import type { Witness } from '../witness.js';
import { Attributes, checkAttributes, MAX_GFN, type MemoryAttributes } from './attributes.js';
import { Binding, type BindingHost, type FileTally } from './binding.js';
import { convertPieces } from './convert-pieces.js';
import { newFault, type FaultExit } from './fault.js';
import { Invalidations } from '../invalidations.js';
import type { Memslot, MemslotSpec } from './memslot.js';
import { Memslots } from './memslots.js';
import { gfnRange, type MemslotPiece } from './piece.js';
import { prefault, type PreFaultMemory } from './prefault.js';
import { VmRecords } from './records.js';
import {
  advance,
  finishFault,
  runFault,
  type FaultOptions,
  type WaitingFaultHost,
} from './run-fault.js';
import { MAX_SLOTS, planChange } from './slot-change.js';
import { Stage2, type Side } from './stage2.js';
import { regionToSpec, type UserMemoryRegion, type UserspaceMemory } from './user-memory-region.js';

export interface KvmVmOptions {
  readonly name?: string | undefined;
  readonly witness?: Witness | undefined;
  /** The memfile of its files: its slots and attributes are in the journal then. */
  readonly memfile?: PluginHost | undefined;
  /** What a slot's registration is called; "kvm slot 3" by default. */
  readonly consumerName?: ((slot: number, file: MemoryFile) => string) | undefined;
  /** How many slots it has; as many as KVM by default. */
  readonly maxSlots?: number | undefined;
  /** What lies at the `userspaceAddr` of regions; nothing by default. */
  readonly memory?: UserspaceMemory | undefined;
  /** Asked between the steps of a change of slots or attributes; a microtask by default. */
  readonly scheduler?: Scheduler | undefined;
}

/**
 * KVM as a consumer: memory slots over memory files, a stage-2 table that is filled by faults and
 * zapped by invalidations. One registration for every piece of a slot, one address space.
 *
 * Slots are described in pages; what carries the name of a KVM structure counts in bytes, as that
 * does. Changes of slots and attributes run one at a time, in the order asked for.
 */
export class KvmVm implements AsyncDisposable, WaitingFaultHost, BindingHost {
  readonly name: string;
  readonly stage2 = new Stage2();
  /** Which guest pages are private, whoever says so. */
  readonly attributes = new Attributes(() => this.#slots);
  readonly invalidations = new Invalidations();
  /** Whoever holds slots is in a section of it; slots that left are freed after they are over. */
  readonly srcu: SrcuDomain;
  readonly tallies = new Map<MemoryFile, FileTally>();
  #slots = new Memslots();
  #slotsLock: Promise<void> = Promise.resolve();
  #disposed = false;
  readonly #options: KvmVmOptions;
  readonly #records: VmRecords | undefined;
  readonly #scheduler: Scheduler;

  constructor(options: KvmVmOptions = {}) {
    const { name = 'kvm', scheduler = new MicrotaskScheduler(), memfile } = options;
    this.name = name;
    this.srcu = new SrcuDomain(name);
    this.#options = options;
    this.#scheduler = scheduler;
    this.#records = memfile && new VmRecords(memfile, name);
  }

  /** The slots of this moment. */
  get slots(): Memslots {
    return this.#slots;
  }

  /**
   * Creates a slot, moves it, changes its flags, or deletes it (no pages). Other pieces at the same
   * place say that what is mapped where its memory lies has changed.
   *
   * Rejects, and changes nothing: EINVAL for bad numbers or flags, a slot to delete that is not
   * there, a change that its kind of slot does not allow, pages past the end of the file; EEXIST
   * when another slot has the guest pages, or the pages of the file; EBADF when a file is closed.
   */
  setMemslot(spec: MemslotSpec): Promise<void> {
    return this.#exclusively(() => this.#setMemslot(described('setMemslot', spec)));
  }

  /** KVM_SET_USER_MEMORY_REGION; rejects as `setMemslot`, and EINVAL for what is not aligned. */
  setUserMemoryRegion(region: UserMemoryRegion): Promise<void> {
    return this.#exclusively(() => this.#setMemslot(this.#spec(region, 1)));
  }

  /** KVM_SET_USER_MEMORY_REGION2, which knows slots over a file. */
  setUserMemoryRegion2(region: UserMemoryRegion): Promise<void> {
    return this.#exclusively(() => this.#setMemslot(this.#spec(region, 2)));
  }

  /**
   * KVM_SET_MEMORY_ATTRIBUTES: makes guest memory private or shared, and zaps it. Nothing happens
   * where all of it is so already. Where a slot takes both sides from one file, the file is
   * converted, and everybody else who has it is asked and told.
   *
   * All or nothing: rejects with EINVAL for bad flags, attributes or ranges, and as `convert`; with
   * `effect` 'partial' when what was converted before could not be converted back.
   */
  setMemoryAttributes(asked: MemoryAttributes): Promise<void> {
    return this.#exclusively(async () => {
      const { start, end, private: isPrivate } = checkAttributes(asked);
      const { files, own } = this.attributes.changing(start, end, isPrivate);
      const failed = await convertPieces(files, isPrivate ? 'private' : 'shared');
      if (own.length > 0) {
        this.invalidations.begin(start, end);
        this.stage2.zap(start, end, 'both');
        await this.#scheduler.schedule(`${this.name}: store attributes`);
        for (const { start, end } of own) {
          this.#records?.setAttributes(start, end, isPrivate);
          this.attributes.set(start, end, isPrivate);
        }
        await this.#scheduler.schedule(`${this.name}: attributes are stored`);
        this.invalidations.end();
      }
      if (failed !== undefined) throw failed;
    });
  }

  /**
   * KVM_GET_DIRTY_LOG: the guest pages of a slot that were written since the last time, which are
   * write-protected again. Simpler than KVM: a page counts when it is mapped for a write, and there
   * is no way to clear a part. Rejects with ENOENT for a slot that keeps no log.
   */
  getDirtyLog(slot: number): Promise<PageRange[]> {
    return this.#exclusively(async () => {
      const dirty = this.#slots.get(slot)?.dirty;
      if (dirty === undefined) {
        throw new MemfileError('ENOENT', 'getDirtyLog', `slot ${slot} keeps no dirty log`);
      }
      const written = dirty.ranges();
      for (const { start, end } of written) {
        dirty.delete(start, end);
        this.stage2.writeProtect(start, end);
      }
      return written;
    });
  }

  /**
   * One access of the guest: maps the page, allocating it if need be, or says why not. Rejects with
   * EINTR when `signal` fires while it waits, and as `fallocate` or `lookup` when the store fails.
   */
  fault(gfn: number, options?: FaultOptions): Promise<FaultExit> {
    if (Number.isSafeInteger(gfn) && gfn >= 0 && gfn < MAX_GFN) {
      return runFault(this, gfn, options ?? undefined);
    }
    return Promise.reject(new MemfileError('EINVAL', 'fault', `${String(gfn)} is no guest page`));
  }

  /** KVM_PRE_FAULT_MEMORY; answers what is left of the range, see {@link prefault}. */
  async prefault(
    range: PreFaultMemory,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<{ readonly gpa: number; readonly size: number }> {
    return await prefault(this, described('prefault', range), options?.signal);
  }

  /** Faults every guest page in that is one of pages `[start, end)` of the file. */
  async touch(file: MemoryFile, start: number, end: number): Promise<void> {
    for (const { bindings } of this.#slots) {
      for (const { piece } of bindings) {
        const range = piece.file === file && gfnRange(piece, start, Math.min(end, file.pages));
        if (!range) continue;
        for (const hole of this.stage2.holes(range.start, range.end)) {
          for (let gfn = hole.start; gfn < hole.end; gfn++) {
            // Mostly there is nothing to wait for, and a promise costs as much as the fault.
            const fault = newFault(gfn, { private: this.attributes.isPrivate(gfn) });
            if (advance(this, fault) === undefined) await finishFault(this, fault, undefined);
          }
        }
      }
    }
  }

  /** Forgets translations, as the MMU notifier does when a process unmaps or drops its own. */
  zap(gfns: PageRange): void {
    this.stage2.zap(gfns.start, gfns.end, 'both');
  }

  slotsSettled(): Promise<void> {
    return this.#slotsLock;
  }

  /** @internal */
  tally(file: MemoryFile): FileTally {
    let tally = this.tallies.get(file);
    if (tally === undefined) {
      tally = { notifications: 0, zappedPages: 0 };
      this.tallies.set(file, tally);
    }
    return tally;
  }

  /** Takes every slot out; the VM is of no use afterwards (EBADF). */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#exclusively(async () => {
      this.#disposed = true;
      for (const slot of [...this.#slots].reverse()) await this.#retire(slot);
      this.#records?.dispose();
    });
  }

  /** One change at a time, in the order asked for: KVM's `slots_lock`. */
  #exclusively<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#slotsLock.then(change);
    this.#slotsLock = changed.then(
      () => {},
      () => {},
    );
    return changed;
  }

  #spec(region: UserMemoryRegion, version: 1 | 2): MemslotSpec {
    return regionToSpec(described('setUserMemoryRegion', region), version, this.#options.memory);
  }

  async #setMemslot(spec: MemslotSpec): Promise<void> {
    if (this.#disposed) throw new MemfileError('EBADF', 'setMemslot', `"${this.name}" is disposed`);
    const change = planChange(this.#slots, spec, this.#options.maxSlots ?? MAX_SLOTS);
    switch (change.kind) {
      case 'none':
        return;
      case 'create':
        this.#publish(toMemslot(spec, await this.#bind(spec)));
        return;
      case 'delete':
        await this.#retire(change.old);
        return;
      case 'move':
        await this.#retire(change.old, toMemslot(spec, await this.#bind(spec)));
        return;
      case 'flags':
        await this.#setFlags(toMemslot(spec, change.old.bindings));
    }
  }

  /** Nobody who holds the slot as it was may map a page for writing after the log has begun. */
  async #setFlags(slot: Memslot): Promise<void> {
    this.#publish(slot);
    await this.srcu.synchronize();
    if (slot.logDirty) this.stage2.writeProtect(slot.start, slot.end);
  }

  /**
   * Takes a slot out, and puts another in its place: no fault holds it when its pages are zapped,
   * and none finds it after that.
   */
  async #retire(slot: Memslot, successor?: Memslot): Promise<void> {
    this.#slots = this.#slots.with({ ...slot, invalid: true });
    await this.srcu.synchronize();
    await this.#scheduler.schedule(`${this.name}: zap slot ${slot.slot}`);
    this.stage2.zap(slot.start, slot.end, 'both');
    await Promise.all(slot.bindings.map((binding) => binding.leave()));
    await this.#scheduler.schedule(`${this.name}: free slot ${slot.slot}`);
    for (const { start, end } of slot.dirty?.ranges() ?? []) {
      const moved = (successor?.gfn ?? 0) - slot.gfn;
      successor?.dirty?.add(start + moved, end + moved);
    }
    if (successor !== undefined) this.#publish(successor);
    else {
      this.#records?.deleteSlot(slot.slot);
      this.#slots = this.#slots.without(slot.slot);
    }
  }

  /** A slot is in the table from here on, in the place of any other of its number. */
  #publish(slot: Memslot): void {
    this.#records?.setSlot(slot);
    this.#slots = this.#slots.with(slot);
  }

  /** Registers every piece of a slot, or none. */
  async #bind({ slot, gfn, pages, pieces = [], guestMemfd }: MemslotSpec): Promise<Binding[]> {
    const create = (piece: MemslotPiece, side: Side): Promise<Binding> => {
      const name = this.#options.consumerName?.(slot, piece.file) ?? `${this.name} slot ${slot}`;
      const witness = this.#options.witness?.consumer(name, piece.file);
      return Binding.create(this, piece, side, name, witness);
    };
    const asked = pieces.map((piece) => create(piece, 'shared'));
    if (guestMemfd !== undefined) {
      const mapped = pieces.length === 0 && !guestMemfd.file.flags.includes('inaccessible');
      asked.push(create({ gfn, pages, ...guestMemfd }, mapped ? 'both' : 'private'));
    }
    const results = await Promise.allSettled(asked);
    const bindings = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    const refused = results.find((result) => result.status === 'rejected');
    if (refused === undefined) return bindings;
    await Promise.all(bindings.map((binding) => binding.leave()));
    throw refused.reason;
  }
}

function toMemslot(spec: MemslotSpec, bindings: readonly Binding[]): Memslot {
  const { gfn, pages, logDirty = false, readOnly = false, pieces = [] } = spec;
  const dirty = logDirty ? new Extents() : undefined;
  const range = { start: gfn, end: gfn + pages };
  const owner = bindings.find(({ side }) => side === 'both');
  return { ...spec, ...range, logDirty, readOnly, pieces, invalid: false, bindings, owner, dirty };
}

/** @throws MemfileError EINVAL for what is no description at all. */
function described<T extends object>(syscall: string, value: T): T {
  if (typeof value === 'object' && value !== null) return value;
  throw new MemfileError('EINVAL', syscall, `needs an object, got ${String(value)}`);
}
