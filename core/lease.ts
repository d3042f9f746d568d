import { MemfileError } from './errno.js';
import type { NotifiedFile } from './notifier.js';

/** What a lease needs of the registration that took it. */
export interface LeaseHome {
  readonly name: string;
  /** Whether the page still has the lease's frame. */
  leaseHolds(lease: Lease): boolean;
  leaseBytes(lease: Lease): Uint8Array;
  leasePut(lease: Lease): void;
}

/**
 * A counted reference to one page frame.
 *
 * It locks nothing: a punch does not wait for it. The page leaves the file, and the frame goes back
 * to its store at the last `put()`.
 */
export class Lease {
  readonly file: NotifiedFile;
  /** The page looked up. */
  readonly offset: number;
  readonly pfn: number;
  /** The lookup covers `2^order` pages, naturally aligned. */
  readonly order: number;
  /** @internal Of its store, when it was taken. */
  readonly generation: number | undefined;
  readonly #home: LeaseHome;
  #put = false;

  /** @internal */
  constructor(
    home: LeaseHome,
    file: NotifiedFile,
    offset: number,
    pfn: number,
    order: number,
    generation: number | undefined,
  ) {
    this.#home = home;
    this.file = file;
    this.offset = offset;
    this.pfn = pfn;
    this.order = order;
    this.generation = generation;
  }

  /** The name of the consumer that holds it. */
  get owner(): string {
    return this.#home.name;
  }

  /**
   * The contents of the frame, not copied. Do not keep the view: after `put()`, or once the page
   * has left, it may show somebody else's data.
   * @throws MemfileError EBADF after `put()`; ESTALE when the page has left the file; EHWPOISON
   * when a page of the lease is poisoned; EPERM when the file is inaccessible; EOPNOTSUPP when its
   * store has no contents to show.
   */
  bytes(): Uint8Array {
    if (this.#put)
      throw new MemfileError('EBADF', 'bytes', `the lease of page ${this.offset} was put`);
    if (!this.#home.leaseHolds(this)) {
      throw new MemfileError('ESTALE', 'bytes', `page ${this.offset} left "${this.file.name}"`);
    }
    return this.#home.leaseBytes(this);
  }

  /**
   * Gives the reference back.
   * @throws MemfileError EBADF the second time: a double put is somebody's lost reference.
   */
  put(): void {
    if (this.#put)
      throw new MemfileError('EBADF', 'put', `the lease of page ${this.offset} was put`);
    this.#put = true;
    this.#home.leasePut(this);
  }

  [Symbol.dispose](): void {
    if (!this.#put) this.put();
  }
}
