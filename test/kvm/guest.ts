import {
  abandon,
  KvmVm,
  newFault,
  step,
  type Fault,
  type Stage2Mapping,
} from '../../adapters/kvm/index.js';
import type { Witness } from '../../adapters/witness.js';
import type { Scheduler } from '../../core/index.js';
import type { LedgerStore } from './ledger-store.js';
import type { Listeners } from './listeners.js';
import { VmModel } from './oracle.js';

/** A fault that the program takes the steps of. */
interface Running {
  readonly fault: Fault;
  /** When its snapshot was taken. */
  since: number;
  /** Its page is being allocated. */
  waiting: boolean;
}

/** One VM, the faults of its guest, and what the program knows of it. */
export class Guest {
  readonly vm: KvmVm;
  readonly model: VmModel;
  readonly broken = new Set<string>();
  /** How often which end or retry of a fault was reached. */
  readonly #seen: Map<string, number>;
  readonly #running: Running[] = [];
  readonly #store: LedgerStore;
  readonly #listeners: Listeners;
  #lastSnapshot = 0;

  constructor(
    name: string,
    store: LedgerStore,
    listeners: Listeners,
    witness: Witness,
    scheduler: Scheduler,
    seen: Map<string, number>,
  ) {
    this.#seen = seen;
    this.vm = new KvmVm({ name, witness, scheduler });
    this.model = new VmModel(name, store);
    this.#store = store;
    this.#listeners = listeners;
  }

  /** How many faults are under way. */
  get faults(): number {
    return this.#running.length;
  }

  dump(): Stage2Mapping[] {
    return this.vm.stage2.mappings();
  }

  start(gfn: number, access: { readonly private: boolean; readonly write: boolean }): Fault {
    const fault = newFault(gfn, access);
    this.#running.push({ fault, since: 0, waiting: false });
    return fault;
  }

  /** Takes a step of one of the faults. */
  step(which: number): void {
    const running = this.#running[which % this.#running.length];
    if (running === undefined || running.waiting) return;
    const { fault } = running;
    const { next: from, snapshot } = fault;
    step(this.vm, fault);
    if (fault.next === 'attributes') running.since = this.#listeners.tick;
    if (fault.snapshot !== snapshot) {
      if (fault.snapshot < this.#lastSnapshot) {
        this.broken.add(`I3: the sequence went back to ${fault.snapshot}`);
      }
      this.#lastSnapshot = fault.snapshot;
    }
    if (from === 'map' && fault.exit?.type === 'mapped' && !fault.exit.spurious) {
      this.#mapped(running);
    }
    if (fault.next === 'populate') this.#populate(running);
    if (fault.next === 'retry') this.#saw(`${fault.obstacle} in the way after ${from}`);
    if (fault.next === 'done') {
      this.#running.splice(this.#running.indexOf(running), 1);
      const level = fault.exit?.type === 'mapped' ? ` ${fault.exit.level}` : '';
      this.#saw(`${fault.exit?.type}${level}`);
    }
  }

  abandonAll(): void {
    for (const { fault } of this.#running.splice(0)) abandon(this.vm, fault);
  }

  #saw(what: string): void {
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + 1);
  }

  #mapped({ fault, since }: Running): void {
    const origin = this.#store.originOf(this.vm.stage2.get(fault.gfn));
    if (origin === undefined) return;
    const access = fault.binding!.side === 'shared' ? 'shared' : 'both';
    if (this.#listeners.endedSince(origin.file, origin.page, since, access)) {
      this.broken.add(`I4: guest page ${fault.gfn} is mapped by a fault from before an end`);
    }
  }

  #populate(running: Running): void {
    const { file } = running.fault.binding!.piece;
    const page = running.fault.binding!.offsetOf(running.fault.gfn);
    running.waiting = true;
    const over = (): void => void (running.waiting = false);
    file.fallocate(page, page + 1, { keepSize: true, reason: 'fault' }).then(over, over);
  }
}
