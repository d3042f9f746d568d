import {
  createMemfile,
  type MemfileError,
  PAGE_SIZE,
  type Lease,
  type MemoryFile,
  type Registration,
} from '../../core/index.js';
import { countPages } from '../../core/page-range.js';
import { MEMORY_ATTRIBUTE_PRIVATE, type MemslotSpec } from '../../adapters/kvm/index.js';
import { LawModel } from '../model/index.js';
import { Device } from './device.js';
import { Guest } from './guest.js';
import { FILES, UNITS, VMS, type Action, type Interleaving } from './interleaving.js';
import { LedgerStore } from './ledger-store.js';
import { joined, Listeners } from './listeners.js';
import { Stage2Oracle } from './oracle.js';
import { isRefusal } from './refusals.js';
import { ManualScheduler, take, turn } from './schedule.js';

/** Faults per VM at a time. */
const MAX_FAULTS = 4;
/** After so many rounds of letting everything go on, what is not over is stuck. */
const MAX_ROUNDS = 400;
/** More than a change of slots has steps. */
const FLOW_ROUNDS = 4;

/** Runs one interleaving of faults, operations and changes, and finds what is broken. */
export class Torture {
  readonly #unit: number;
  readonly #store = new LedgerStore();
  readonly #scheduler = new ManualScheduler();
  readonly #memfile = createMemfile({
    plugins: [this.#store] as const,
    scheduler: this.#scheduler,
  });
  readonly #listeners = new Listeners();
  readonly #oracle = new Stage2Oracle(this.#store);
  readonly #files: MemoryFile[] = [];
  readonly #guests: Guest[] = [];
  readonly #gates: Array<() => void> = [];
  readonly #devices: Device[] = [];
  readonly #model = new LawModel();
  readonly #witness = joined(this.#listeners, this.#model);
  readonly #pinners: Registration[] = [];
  readonly #pins: Lease[] = [];
  readonly #broken = new Set<string>();
  #pending = 0;

  readonly #seen: Map<string, number>;

  private constructor({ large }: Interleaving, seen: Map<string, number>) {
    this.#unit = large ? 128 : 1;
    this.#seen = seen;
  }

  /**
   * Runs a program; answers what it broke.
   * @param seen counts what became of faults.
   */
  static async run(program: Interleaving, seen = new Map<string, number>()): Promise<string[]> {
    const torture = new Torture(program, seen);
    await torture.#setUp();
    for (const action of program.actions) {
      torture.#listeners.tick++;
      if (action.do === 'flow') await torture.#flow();
      else torture.#act(action);
      await turn();
      torture.#judge();
    }
    await torture.#finish();
    return torture.#found();
  }

  async #setUp(): Promise<void> {
    for (let i = 0; i < FILES; i++) {
      const file = this.#memfile.createFile('ledger', { size: UNITS * this.#unit, name: `f${i}` });
      this.#files.push(file);
      const { id } = file;
      this.#pinners.push(await file.register({ name: 'pinner' }));
      await file.register({
        name: 'probe',
        error: (start, end) => {
          for (let page = start; page < end; page++) {
            const frame = this.#store.frameOf(id, page);
            if (frame !== undefined) this.#store.poisoned.add(frame);
          }
        },
        invalidate: (start, end, event) => this.#listeners.heard(id, start, end, event),
        invalidateEnd: (start, end, event) => this.#listeners.heard(id, start, end, event),
      });
    }
    for (let i = 0; i < VMS; i++) {
      const [store, listeners, witness] = [this.#store, this.#listeners, this.#witness];
      const guest = new Guest(`vm${i}`, store, listeners, witness, this.#scheduler, this.#seen);
      this.#guests.push(guest);
    }
    this.#store.onFree = (frames) => {
      for (const { model, vm } of this.#guests) {
        this.#oracle.freed(model, vm.stage2.mappings(), frames);
      }
      if (this.#devices.some((device) => device.maps(frames))) {
        this.#broken.add('I7: a device maps a frame that is freed');
      }
    };
    this.#store.onConvert = (frames) => {
      for (const { model, vm } of this.#guests) {
        this.#oracle.converted(model, vm.stage2.mappings(), frames);
      }
      if (this.#devices.some((device) => device.maps(frames))) {
        this.#broken.add('I10: a device maps a page while it changes sides');
      }
    };
    await this.#files[0]!.fallocate(0, UNITS * this.#unit);
    const first = { do: 'slot', vm: 0, slot: 0, gfn: 0, pages: UNITS } as const;
    this.#act({ ...first, offset: 0, file: 0, over: 'mapping', log: false });
    await turn();
  }

  #act(action: Exclude<Action, { readonly do: 'flow' }>): void {
    const unit = this.#unit;
    switch (action.do) {
      case 'start': {
        const guest = this.#guests[action.vm]!;
        if (guest.faults < MAX_FAULTS) guest.start(this.#gfn(action.gfn), action);
        return;
      }
      case 'run': {
        const { vm } = this.#guests[action.vm]!;
        this.#watch(vm.fault(this.#gfn(action.gfn), action));
        return;
      }
      case 'prefault': {
        const { vm } = this.#guests[action.vm]!;
        this.#watch(vm.prefault({ gpa: action.gfn * unit * PAGE_SIZE, size: 2 * PAGE_SIZE }));
        return;
      }
      case 'step': {
        const { which, steps } = action;
        const guest = this.#guests[which % 3 === 2 ? 1 : 0]!;
        for (let i = 0; i < steps; i++) guest.step(which);
        return;
      }
      case 'punch':
      case 'fallocate': {
        const file = this.#files[action.file]!;
        const [start, end] = [action.start * unit, (action.start + action.pages) * unit];
        if (action.do === 'punch') this.#watch(file.punchHole(start, end));
        else this.#watch(file.fallocate(start, Math.min(end, file.pages)));
        return;
      }
      case 'slow': {
        const range = { start: action.start * unit, end: (action.start + action.pages) * unit };
        const invalidate = (): Promise<void> => new Promise((open) => this.#gates.push(open));
        this.#watch(this.#files[action.file]!.register({ invalidate }, { range, name: 'slow' }));
        return;
      }
      case 'settle':
        take(this.#gates, action.which)?.();
        return;
      case 'resume':
        take(this.#scheduler.suspended, action.which)?.();
        return;
      case 'slot': {
        const file = this.#files[action.file]!;
        const [gfn, pages] = [action.gfn * unit, action.pages * unit];
        const offset = action.offset * unit;
        const pieces = action.over === 'file' ? [] : [{ gfn, pages, file, offset }];
        const private_ = action.over === 'both' ? this.#files[1 - action.file]! : file;
        const guestMemfd = action.over === 'mapping' ? undefined : { file: private_, offset };
        const logDirty = action.log && guestMemfd === undefined;
        this.#set(action.vm, { slot: action.slot, gfn, pages, logDirty, pieces, guestMemfd });
        return;
      }
      case 'delete':
        this.#set(action.vm, { slot: action.slot, gfn: 0, pages: 0 });
        return;
      case 'move': {
        const old = this.#guests[action.vm]!.model.slots.get(action.slot);
        if (old === undefined) return;
        const gfn = action.gfn * unit;
        const by = gfn - old.gfn;
        const pieces = old.pieces!.map((piece) => ({ ...piece, gfn: piece.gfn + by }));
        this.#set(action.vm, { ...old, gfn, pieces });
        return;
      }
      case 'dirty':
        this.#watch(this.#guests[action.vm]!.vm.getDirtyLog(action.slot));
        return;
      case 'attributes': {
        const { vm, model } = this.#guests[action.vm]!;
        const [start, end] = [action.gfn * unit, (action.gfn + action.pages) * unit];
        const change = vm.setMemoryAttributes({
          address: start * PAGE_SIZE,
          size: (end - start) * PAGE_SIZE,
          attributes: action.private ? MEMORY_ATTRIBUTE_PRIVATE : 0,
        });
        model.pending++;
        this.#watch(
          change.then(() => {
            model.pending--;
            model.setPrivate(start, end, action.private);
          }),
        );
        return;
      }
      case 'convert': {
        const file = this.#files[action.file]!;
        const [start, end] = [action.start * unit, (action.start + action.pages) * unit];
        const pages = file.pages;
        const to = action.private ? 'private' : 'shared';
        this.#watch(file.convert(start, Math.min(end, pages), to), 'convert');
        return;
      }
      case 'poison': {
        const page = action.start * unit;
        this.#watch(this.#files[action.file]!.poison(page), 'poison');
        return;
      }
      case 'pin': {
        try {
          this.#pins.push(this.#pinners[action.file]!.lookup(action.start * unit));
        } catch (error) {
          this.#expect(error);
        }
        return;
      }
      case 'unpin':
        take(this.#pins, action.which)?.put();
        return;
      case 'full':
        this.#store.refusals = 1;
        return;
      case 'device': {
        const { access, habits } = action;
        const file = this.#files[action.file]!;
        const range = { start: action.start * unit, end: (action.start + action.pages) * unit };
        const name = `device ${this.#devices.length}`;
        const witness = this.#witness.consumer(name, file);
        const options = { name, range, access, habits };
        this.#devices.push(new Device(file, options, this.#store, witness, this.#gates));
        return;
      }
      case 'detach':
        this.#devices[action.which % this.#devices.length]?.leave();
        return;
      case 'close':
        this.#watch(this.#files[action.file]!.close());
    }
  }

  /** Faults are for pages in the middle of a unit too. */
  #gfn(gfn: number): number {
    return gfn * this.#unit + (this.#unit > 1 ? 5 : 0);
  }

  #set(which: number, spec: MemslotSpec): void {
    const { vm, model } = this.#guests[which]!;
    model.pending++;
    const change = vm.setMemslot(spec).finally(() => model.pending--);
    this.#watch(
      change.then(() => {
        model.slots.delete(spec.slot);
        if (spec.pages === 0) return;
        const { gfn, pages } = spec;
        for (const other of model.slots.values()) {
          if (gfn < other.gfn + other.pages && other.gfn < gfn + pages) {
            this.#broken.add(`slots ${spec.slot} and ${other.slot} overlap`);
          }
        }
        model.slots.set(spec.slot, spec);
      }),
    );
  }

  /** Everything has to come to an end, and refusals must be of the kind that can be expected. */
  #watch(promise: Promise<unknown>, what?: string): void {
    this.#pending++;
    const saw = (how: string): void => {
      this.#pending--;
      if (what === undefined) return;
      this.#seen.set(`${what}: ${how}`, (this.#seen.get(`${what}: ${how}`) ?? 0) + 1);
    };
    promise.then(
      () => saw('done'),
      (error: unknown) => {
        this.#expect(error);
        saw((error as MemfileError).code);
      },
    );
  }

  #expect(error: unknown): void {
    if (!isRefusal(error)) this.#broken.add(`unexpected: ${String(error)}`);
  }

  #judge(): void {
    for (const device of this.#devices) device.judge();
    for (const guest of this.#guests) this.#oracle.judge(guest.model, guest.dump());
  }

  async #flow(): Promise<void> {
    for (let round = 0; round < FLOW_ROUNDS; round++) {
      this.#release();
      await turn();
      this.#judge();
    }
  }

  #release(): void {
    for (const open of this.#gates.splice(0)) open();
    for (const resume of this.#scheduler.suspended.splice(0)) resume();
  }

  /** Lets everything go on until all is over. */
  async #drain(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (this.#pending === 0 && this.#guests.every(({ faults }) => faults === 0)) return;
      this.#listeners.tick++;
      this.#release();
      for (const guest of this.#guests) {
        for (let which = 0; which < guest.faults; which++) guest.step(which);
      }
      await turn();
      this.#judge();
    }
    const faults = this.#guests.reduce((sum, guest) => sum + guest.faults, 0);
    this.#broken.add(`I3: ${this.#pending} promises and ${faults} faults never end`);
    for (const guest of this.#guests) guest.abandonAll();
  }

  async #finish(): Promise<void> {
    await this.#drain();
    for (const device of this.#devices) device.judgeAll();
    for (const device of this.#devices) device.leave();
    for (const pin of this.#pins) pin.put();
    for (const file of this.#files) {
      const populated = countPages(file.populated());
      if (!file.closed && populated !== this.#store.pagesOf(file.id)) {
        this.#broken.add(`I9: file ${file.id} of ${file.pages} pages counts ${populated}`);
      }
    }
    await this.#faultAgain();
    for (const { vm } of this.#guests) this.#watch(vm[Symbol.asyncDispose]());
    await this.#drain();
    for (const { vm, model } of this.#guests) {
      if (vm.stage2.mappings().length > 0) this.#broken.add(`I1: ${model.name} is gone, and maps`);
    }
    const leaked = this.#memfile.state.quarantined.map(({ start, end, pfn }) => ({
      start: pfn,
      end: pfn + (end - start),
    }));
    for (const [frame, count] of this.#store.references) {
      if (leaked.some(({ start, end }) => frame >= start && frame < end)) continue;
      this.#broken.add(`I8: frame ${frame} was taken ${count} times more than it was put`);
    }
    this.#listeners.judge();
  }

  /** When all is quiet, every page of an open file can be mapped: nothing is left in progress. */
  async #faultAgain(): Promise<void> {
    for (const guest of this.#guests) {
      const { model } = guest;
      for (const slot of model.slots.values()) {
        for (const gfn of [slot.gfn, slot.gfn + slot.pages - 1]) {
          const isPrivate = model.isPrivate(gfn);
          const target = model.target(gfn, isPrivate);
          const file = this.#files.find(({ id }) => id === target?.file);
          const fault = guest.start(gfn, { private: isPrivate, write: false });
          await this.#drain();
          const open = file !== undefined && !file.closed && target!.page < file.pages;
          const there = open && model.usable(gfn, isPrivate);
          if ((fault.exit?.type === 'mapped') !== there) {
            const how = fault.exit?.type ?? 'nothing';
            this.#broken.add(`I3: the last fault of guest page ${gfn} ends with ${how}`);
          }
        }
      }
    }
  }

  #found(): string[] {
    const laws = this.#model.finish().map(({ law, name, consumer, detail }) => {
      return `law ${law}, ${name}: ${consumer}: ${detail}`;
    });
    const devices = this.#devices.flatMap((device) => [...device.broken]);
    const all = [
      laws,
      devices,
      this.#broken,
      this.#oracle.broken,
      this.#listeners.broken,
      this.#store.broken,
    ];
    return [...all, ...this.#guests.map((guest) => guest.broken)].flatMap((found) => [...found]);
  }
}
