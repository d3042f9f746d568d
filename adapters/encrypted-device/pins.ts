import type { Lease } from '../../core/index.js';

/** The leases that a pinning device keeps, one for each page that it has mapped or just had. */
export class Pins {
  readonly #leases = new Map<number, Lease>();
  readonly #put: (lease: Lease) => void;

  constructor(put: (lease: Lease) => void) {
    this.#put = put;
  }

  get size(): number {
    return this.#leases.size;
  }

  /** Keeps a lease of a page, in the place of an older one. */
  keep(page: number, lease: Lease): void {
    const older = this.#leases.get(page);
    this.#leases.set(page, lease);
    if (older !== undefined) this.#put(older);
  }

  /** Puts the leases of the pages of `[start, end)` that are no longer `mapped`. */
  release(start: number, end: number, mapped: (page: number) => boolean): void {
    // A range may be a window of millions of pages, of which few are pinned, or the other way round.
    if (this.#leases.size < end - start) {
      for (const page of this.#leases.keys()) {
        if (page >= start && page < end) this.#release(page, mapped);
      }
    } else for (let page = start; page < end; page++) this.#release(page, mapped);
  }

  #release(page: number, mapped: (page: number) => boolean): void {
    const lease = this.#leases.get(page);
    if (lease === undefined || mapped(page)) return;
    this.#leases.delete(page);
    this.#put(lease);
  }
}
