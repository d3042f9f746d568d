import {
  Extents,
  MemfileError,
  type MemoryFile,
  type Notifier,
  type NotifierEvent,
  type PageRange,
} from '../../core/index.js';
import { InvalidationSequence } from '../invalidation-sequence.js';
import type { ConsumerWitness, Witness } from '../witness.js';
import { runFault, type FaultHost, type FaultOutcome } from './fault.js';
import { gfnRange, type MemslotPiece, type MemslotSpec, type RegisteredPiece } from './memslot.js';

/** What a VM was told of one memory file, and what that took away. */
export interface FileTally {
  notifications: number;
  zappedPages: number;
}

interface Memslot extends MemslotSpec {
  readonly registered: readonly RegisteredPiece[];
}

export interface KvmVmOptions {
  readonly name?: string | undefined;
  readonly witness?: Witness | undefined;
  /** What a slot's registration is called; "kvm slot 3" by default. */
  readonly consumerName?: ((slot: number, file: MemoryFile) => string) | undefined;
}

/**
 * KVM as a consumer: memory slots over memory files, a stage-2 table that is filled by faults and
 * zapped by invalidations. One registration for every piece of a slot.
 */
export class KvmVm implements AsyncDisposable, FaultHost {
  readonly name: string;
  /** Guest page to frame. */
  readonly stage2 = new Extents();
  readonly invalidations = new InvalidationSequence();
  readonly tallies = new Map<MemoryFile, FileTally>();
  readonly #slots = new Map<number, Memslot>();
  #slotsLock: Promise<void> = Promise.resolve();
  readonly #witness: Witness | undefined;
  readonly #consumerName: (slot: number, file: MemoryFile) => string;

  constructor({ name = 'kvm', witness, consumerName }: KvmVmOptions = {}) {
    this.name = name;
    this.#witness = witness;
    this.#consumerName = consumerName ?? ((slot) => `${name} slot ${slot}`);
  }

  get slots(): ReadonlyMap<number, MemslotSpec> {
    return this.#slots;
  }

  /**
   * Creates a slot, or replaces the one of that number; no pages deletes it.
   * Rejects with EINVAL when a slot that does not exist is deleted, and as `register` does.
   */
  setMemslot(spec: MemslotSpec): Promise<void> {
    return this.#exclusively(() => this.#setMemslot(spec));
  }

  async #setMemslot(spec: MemslotSpec): Promise<void> {
    const old = this.#slots.get(spec.slot);
    if (spec.pages === 0) {
      if (old === undefined) {
        throw new MemfileError('EINVAL', 'setMemslot', `there is no slot ${spec.slot} to delete`);
      }
      await this.#remove(old);
    } else if (old !== undefined && samePlace(old, spec)) {
      this.#slots.set(spec.slot, { ...spec, registered: old.registered });
    } else {
      if (old !== undefined) await this.#remove(old);
      const results = await Promise.allSettled(
        spec.pieces.map((piece) => this.#register(spec, piece)),
      );
      const registered = results.flatMap((result) =>
        result.status === 'fulfilled' ? [result.value] : [],
      );
      const slot = { ...spec, registered };
      const refused = results.find((result) => result.status === 'rejected');
      if (refused !== undefined) {
        await this.#remove(slot);
        throw refused.reason;
      }
      this.#slots.set(spec.slot, slot);
    }
  }

  /** Maps one guest page, allocating it if need be; 'mmio' where no slot has memory. */
  fault(gfn: number): Promise<FaultOutcome> {
    return runFault(this, gfn);
  }

  /** Faults every guest page in that is one of pages `[start, end)` of the file. */
  async touch(file: MemoryFile, start: number, end: number): Promise<void> {
    for (const { registered } of this.#slots.values()) {
      for (const piece of registered) {
        const range = piece.file === file && gfnRange(piece, start, Math.min(end, file.pages));
        if (!range) continue;
        for (const hole of this.stage2.holes(range.start, range.end)) {
          for (let gfn = hole.start; gfn < hole.end; gfn++) await this.fault(gfn);
        }
      }
    }
  }

  /** Forgets translations, as the MMU notifier does when a process unmaps or drops its own. */
  zap(gfns: PageRange): void {
    this.stage2.delete(gfns.start, gfns.end);
  }

  /** The piece of a slot that has memory for a guest page. */
  pieceAt(gfn: number): RegisteredPiece | undefined {
    for (const { registered } of this.#slots.values()) {
      for (const piece of registered) {
        if (gfn >= piece.gfn && gfn < piece.gfn + piece.pages) return piece;
      }
    }
    return undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#exclusively(async () => {
      for (const slot of [...this.#slots.values()].reverse()) await this.#remove(slot);
    });
  }

  /** One change of slots at a time, in the order asked for: KVM's `slots_lock`. */
  #exclusively(change: () => Promise<void>): Promise<void> {
    const changed = this.#slotsLock.then(change);
    this.#slotsLock = changed.catch(() => {});
    return changed;
  }

  async #register(spec: MemslotSpec, piece: MemslotPiece): Promise<RegisteredPiece> {
    const { file, offset, pages } = piece;
    const name = this.#consumerName(spec.slot, file);
    const witness = this.#witness?.consumer(name, file);
    const range = { start: offset, end: offset + pages };
    const window = { open: 0 };
    const notifier = this.#notifier(piece, witness, window);
    const registration = await file.register(notifier, { name, range });
    witness?.registered(registration);
    return { ...piece, registration, witness, window };
  }

  async #remove({ slot, gfn, pages, registered }: Memslot): Promise<void> {
    this.#slots.delete(slot);
    // Out of the table first: a fault that is under way finds the sequence moved on and retries.
    this.invalidations.begin(gfn, gfn + pages);
    this.stage2.delete(gfn, gfn + pages);
    this.invalidations.end();
    const grace = registered.map(({ registration, witness, window }) => {
      const over = registration.unregister();
      witness?.left();
      // Who leaves amid an invalidation is not told its end.
      for (; window.open > 0; window.open--) this.invalidations.end();
      return over;
    });
    await Promise.all(grace);
  }

  #notifier(
    piece: MemslotPiece,
    witness: ConsumerWitness | undefined,
    window: { open: number },
  ): Notifier {
    const tally = this.#tally(piece.file);
    return {
      fallocate: (start: number, end: number, event: NotifierEvent) => {
        tally.notifications++;
        witness?.told(event, start, end);
      },
      invalidate: (start: number, end: number, event: NotifierEvent) => {
        tally.notifications++;
        witness?.told(event, start, end);
        const gfns = gfnRange(piece, start, end)!;
        window.open++;
        this.invalidations.begin(gfns.start, gfns.end);
        tally.zappedPages += this.stage2.delete(gfns.start, gfns.end);
      },
      invalidateEnd: (start: number, end: number, event: NotifierEvent) => {
        tally.notifications++;
        witness?.told(event, start, end);
        window.open--;
        this.invalidations.end();
      },
    };
  }

  #tally(file: MemoryFile): FileTally {
    let tally = this.tallies.get(file);
    if (tally === undefined) {
      tally = { notifications: 0, zappedPages: 0 };
      this.tallies.set(file, tally);
    }
    return tally;
  }
}

function samePlace(old: MemslotSpec, spec: MemslotSpec): boolean {
  return (
    old.gfn === spec.gfn &&
    old.pages === spec.pages &&
    old.pieces.length === spec.pieces.length &&
    old.pieces.every((piece, i) => {
      const other = spec.pieces[i]!;
      return (
        piece.gfn === other.gfn &&
        piece.pages === other.pages &&
        piece.file === other.file &&
        piece.offset === other.offset
      );
    })
  );
}
