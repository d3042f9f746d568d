import type { Lease, MemoryFile, Notifier, NotifierEvent, Registration } from '../../core/index.js';
import type { ConsumerWitness } from '../witness.js';
import type { Invalidations } from '../invalidations.js';
import { gfnRange, type MemslotPiece } from './piece.js';
import type { Side, Stage2 } from './stage2.js';

/** What a VM was told of one memory file, and what that took away. */
export interface FileTally {
  notifications: number;
  zappedPages: number;
}

/** What a binding needs of its VM. */
export interface BindingHost {
  readonly invalidations: Invalidations;
  readonly stage2: Stage2;
  tally(file: MemoryFile): FileTally;
}

/** A piece of a slot, registered on its file: what `kvm_gmem_bind` makes. */
export class Binding {
  readonly piece: MemslotPiece;
  /** Which accesses it serves. */
  readonly side: Side;
  readonly #host: BindingHost;
  readonly #witness: ConsumerWitness | undefined;
  #registration!: Registration;
  /** Invalidations that it was told the begin of and not the end. */
  #open = 0;

  /** By itself, so that whoever takes the slot out zaps it. */
  #left = false;

  private constructor(
    host: BindingHost,
    piece: MemslotPiece,
    side: Side,
    witness: ConsumerWitness | undefined,
  ) {
    this.#host = host;
    this.piece = piece;
    this.side = side;
    this.#witness = witness;
  }

  /** Registers; rejects as `register` does. */
  static async create(
    host: BindingHost,
    piece: MemslotPiece,
    side: Side,
    name: string,
    witness: ConsumerWitness | undefined,
  ): Promise<Binding> {
    const binding = new Binding(host, piece, side, witness);
    const { file, offset, pages } = piece;
    const range = { start: offset, end: offset + pages };
    // Where the VM says what is private, what its file says is no matter to private accesses.
    const access = side === 'shared' ? 'shared' : 'both';
    const registration = await file.register(binding.#notifier(), { name, range, access });
    witness?.registered(registration);
    binding.#registration = registration;
    // However it comes to leave, be it evicted: who leaves is not told an end.
    void registration.closed.then(() => binding.#lost());
    return binding;
  }

  /** False once its file is closed, or it was evicted. */
  get active(): boolean {
    return this.#registration.active;
  }

  /** Whether it has the guest page for such an access. */
  serves(gfn: number, isPrivate: boolean): boolean {
    const { piece, side } = this;
    const sided = side === 'both' || (side === 'private') === isPrivate;
    return sided && gfn >= piece.gfn && gfn < piece.gfn + piece.pages;
  }

  /** Whether the file, where it has a say, lets such an access have the guest page. */
  agrees(gfn: number, isPrivate: boolean): boolean {
    return this.side === 'private' || this.piece.file.isPrivate(this.offsetOf(gfn)) === isPrivate;
  }

  /** The page of the file that a guest page is. */
  offsetOf(gfn: number): number {
    return this.piece.offset + (gfn - this.piece.gfn);
  }

  /** @throws MemfileError as `Registration.lookup`. */
  lookup(gfn: number): Lease {
    const lease = this.#registration.lookup(this.offsetOf(gfn));
    this.#witness?.lookedUp(lease);
    return lease;
  }

  put(lease: Lease): void {
    lease.put();
    this.#witness?.put(lease);
  }

  /** Resolves when it has left and its grace period is over. */
  leave(): Promise<void> {
    this.#left = true;
    const over = this.#registration.unregister();
    this.#witness?.left();
    this.#endAll();
    return over;
  }

  /** Its file was closed under it, or it was evicted: what it mapped is nobody's to use any more. */
  #lost(): void {
    if (this.#left) return;
    this.#witness?.left();
    const { gfn, pages } = this.piece;
    const { invalidations, stage2 } = this.#host;
    invalidations.begin(gfn, gfn + pages);
    stage2.zap(gfn, gfn + pages, this.side);
    invalidations.end();
    this.#endAll();
  }

  #endAll(): void {
    for (; this.#open > 0; this.#open--) this.#host.invalidations.end();
  }

  #notifier(): Notifier {
    const { piece, side } = this;
    const { invalidations, stage2 } = this.#host;
    const tally = this.#host.tally(piece.file);
    const told = (start: number, end: number, event: NotifierEvent): void => {
      tally.notifications++;
      this.#witness?.told(event, start, end);
    };
    return {
      fallocate: told,
      error: told,
      invalidate: (start, end, event) => {
        told(start, end, event);
        const gfns = gfnRange(piece, start, end)!;
        this.#open++;
        invalidations.begin(gfns.start, gfns.end);
        tally.zappedPages += stage2.zap(gfns.start, gfns.end, side);
      },
      invalidateEnd: (start, end, event) => {
        told(start, end, event);
        this.#open--;
        invalidations.end();
      },
    };
  }
}
