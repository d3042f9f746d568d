import type { Subscription } from 'rxjs';
import type { Access, MemoryFile, Notification, PageRange } from '../../core/index.js';
import type { ConsumerWitness } from '../../adapters/witness.js';
import type { LedgerStore } from './ledger-store.js';

/** What a device does with what it is told next; it goes through its list again and again. */
export type Habit = 'ok' | 'refuses' | 'slow' | 'fails to undo' | 'fails to let go';

interface Mapped {
  readonly frame: number;
  readonly private: boolean;
}

/**
 * A second kind of consumer beside KVM: an RxJS observer with a vote that maps every page it can
 * use as soon as it is told, and unmaps it before it goes.
 */
export class Device {
  readonly broken = new Set<string>();
  readonly #file: MemoryFile;
  readonly #range: PageRange;
  readonly #access: Access;
  readonly #habits: readonly Habit[];
  readonly #store: LedgerStore;
  readonly #witness: ConsumerWitness;
  readonly #gates: Array<() => void>;
  readonly #mapped = new Map<number, Mapped>();
  readonly #subscription: Subscription;
  #here = false;
  #told = 0;

  constructor(
    file: MemoryFile,
    options: {
      readonly name: string;
      readonly range: PageRange;
      readonly access: Access;
      readonly habits: readonly Habit[];
    },
    store: LedgerStore,
    witness: ConsumerWitness,
    gates: Array<() => void>,
  ) {
    const { name, range, access, habits } = options;
    this.#file = file;
    this.#range = range;
    this.#access = access;
    this.#habits = habits;
    this.#store = store;
    this.#witness = witness;
    this.#gates = gates;
    const next = (told: Notification): void | Promise<void> => this.#next(told);
    this.#subscription = file
      .notifications$({ name, range, access, votes: true })
      .subscribe({ next, error: () => {} });
  }

  /** Whether it has any of these frames. */
  maps(frames: ReadonlySet<number>): boolean {
    return [...this.#mapped.values()].some(({ frame }) => frames.has(frame));
  }

  leave(): void {
    this.#subscription.unsubscribe();
    if (this.#here) this.#witness.left();
    this.#here = false;
    this.#mapped.clear();
  }

  /** What it has mapped is there, as it mapped it, and without error, at any time. */
  judge(): void {
    const { id } = this.#file;
    for (const [page, { frame, private: isPrivate }] of this.#mapped) {
      const where = `a device maps page ${page} of file ${id}`;
      if (this.#store.frameOf(id, page) !== frame) this.broken.add(`I1: ${where}, which has left`);
      const side = this.#store.isPrivate(id, page) ? 'private' : 'shared';
      if (
        side !== (isPrivate ? 'private' : 'shared') ||
        (this.#access !== 'both' && this.#access !== side)
      ) {
        this.broken.add(`I10: ${where}, which is ${side}`);
      }
      if (this.#store.poisoned.has(frame)) this.broken.add(`I11: ${where}, which is poisoned`);
    }
  }

  /** When all is quiet it has what it can use, all of it. */
  judgeAll(): void {
    this.judge();
    const { id, closed } = this.#file;
    if (!this.#here || closed) return;
    for (const [page, frame] of this.#store.framesOf(id)) {
      const { start, end } = this.#range;
      const side = this.#store.isPrivate(id, page) ? 'private' : 'shared';
      const mine = this.#access === 'both' || this.#access === side;
      if (page < start || page >= end || !mine || this.#store.poisoned.has(frame)) continue;
      if (!this.#mapped.has(page)) {
        this.broken.add(`I12: page ${page} of file ${id} is ${side}, and the device was not told`);
      }
    }
  }

  #next(told: Notification): void | Promise<void> {
    if (told.type === 'snapshot') {
      this.#here = true;
      this.#witness.registered({
        range: this.#range,
        snapshot: told.ranges,
        position: told.position,
        access: this.#access,
      });
      for (const range of told.ranges) this.#map(range);
      return undefined;
    }
    const { type, start, end } = told;
    this.#witness.told({ ...told, file: this.#file }, start, end);
    const habit = this.#habits[this.#told++ % this.#habits.length]!;
    switch (type) {
      case 'prepare':
        if (habit !== 'refuses') return habit === 'slow' ? this.#later() : undefined;
        this.#witness.refused?.(start, end);
        throw new Error('not now');
      case 'rollback':
        if (habit === 'fails to undo') throw new Error('it is too late for that');
        return undefined;
      case 'fallocate':
        this.#map(told);
        return undefined;
      case 'invalidate':
        // It lets go late, or lets go and says that it did not.
        if (habit === 'slow') {
          const later = this.#later();
          return later.then(() => this.#unmap(told));
        }
        this.#unmap(told);
        if (habit === 'fails to let go') throw new Error('the flush failed');
        return undefined;
      case 'invalidateEnd':
        for (const range of told.kept ?? []) this.#map(range);
        return undefined;
      case 'error':
        this.#unmap(told);
    }
  }

  #later(): Promise<void> {
    return new Promise((open) => this.#gates.push(open));
  }

  #map({ start, end }: PageRange): void {
    const { id } = this.#file;
    for (let page = start; page < end; page++) {
      const frame = this.#store.frameOf(id, page);
      if (frame === undefined) this.broken.add(`I1: page ${page} of file ${id} is told, not there`);
      else this.#mapped.set(page, { frame, private: this.#file.isPrivate(page) });
    }
  }

  #unmap({ start, end }: PageRange): void {
    for (const page of this.#mapped.keys()) {
      if (page >= start && page < end) this.#mapped.delete(page);
    }
  }
}
