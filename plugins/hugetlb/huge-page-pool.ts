import { Extents, MemfileError, PAGE_SIZE } from '../../core/index.js';

/** What `/sys/kernel/mm/hugepages` says of one size, in huge pages. */
export interface PoolCounters {
  /** All that exist, in files or not: `nr_hugepages`. */
  readonly total: number;
  /** Those that can be taken, the reserved ones included. */
  readonly free: number;
  /** Promised to places of files that have no page yet; at most `free`. */
  readonly reserved: number;
  /** Those above the size that the pool was set to; each goes as soon as nobody needs it. */
  readonly surplus: number;
}

/**
 * The huge pages of one size, counted as `struct hstate` counts them (mm/hugetlb.c). A frame is the
 * number of a huge page; its contents exist only where somebody looked.
 */
export class HugePagePool {
  readonly #bytesInPage: number;
  #total: number;
  #free: number;
  #reserved = 0;
  #surplus = 0;
  /** Frames that were used before, as a set. */
  readonly #used = new Extents();
  /** The first frame never used. Frame 0 is nobody's, so that a 0 is always a mistake. */
  #next = 1;
  readonly #references = new Map<number, number>();
  /** Referenced frames whose page has left its file. */
  readonly #orphans = new Set<number>();
  readonly #contents = new Map<number, Uint8Array>();

  /** @param pagesInPage how many 4 KiB pages a huge page has. */
  constructor(total: number, pagesInPage: number) {
    this.#total = total;
    this.#free = total;
    this.#bytesInPage = pagesInPage * PAGE_SIZE;
  }

  get counters(): PoolCounters {
    return {
      total: this.#total,
      free: this.#free,
      reserved: this.#reserved,
      surplus: this.#surplus,
    };
  }

  /** The size that the pool was set to in a journal; nothing is taken or promised of it yet. */
  restore(size: number): void {
    this.#total = size;
    this.#free = size;
  }

  /** This frame is somebody's already. Once is enough, however often it is said. */
  claim(frame: number): void {
    if (frame < this.#next && !this.#used.has(frame)) return;
    if (frame > this.#next) this.#used.add(this.#next, frame);
    this.#used.delete(frame, frame + 1);
    this.#next = Math.max(this.#next, frame + 1);
    this.#free--;
    this.#keepPromises();
  }

  /** The frame is referenced already, by leases from before; `orphan` when no page has it. */
  claimReferenced(frame: number, count: number, orphan: boolean): void {
    this.claim(frame);
    this.#references.set(frame, count + (this.#references.get(frame) ?? 0));
    if (orphan) this.#orphans.add(frame);
  }

  /** So many places without a page had reservations before. */
  claimReserved(count: number): void {
    this.#reserved += count;
    this.#keepPromises();
  }

  /** What was taken or promised when the pool was larger is surplus now. */
  #keepPromises(): void {
    const missing = Math.max(0, this.#reserved - this.#free);
    this.#free += missing;
    this.#total += missing;
    this.#surplus += missing;
  }

  /** How many can be had without a reservation. */
  get available(): number {
    return this.#free - this.#reserved;
  }

  /** Answers false, and reserves nothing, when there are too few: `hugetlb_acct_memory`. */
  reserve(count: number): boolean {
    if (count > this.available) return false;
    this.#reserved += count;
    return true;
  }

  /** Surplus pages that were only kept for a reservation go: `return_unused_surplus_pages`. */
  unreserve(count: number): void {
    this.#reserved -= count;
    const gone = Math.min(count, this.#surplus);
    this.#surplus -= gone;
    this.#free -= gone;
    this.#total -= gone;
  }

  /** Takes one frame, zeroed, by a reservation or without; undefined when there is none. */
  take(reserved: boolean): number | undefined {
    if (reserved) this.#reserved--;
    else if (this.available === 0) return undefined;
    this.#free--;
    const frame = this.#used.first()?.start ?? this.#next++;
    this.#used.delete(frame, frame + 1);
    return frame;
  }

  /** The page of a frame has left its file; the frame comes back after its last reference. */
  release(frame: number): void {
    if (this.#references.has(frame)) this.#orphans.add(frame);
    else this.#comeBack(frame);
  }

  /** A frame was taken in vain: nobody has seen it, and the reservation it came from is back. */
  undo(frame: number, reserved: boolean): void {
    if (!reserved) {
      this.#comeBack(frame);
      return;
    }
    // Promised again, it is nothing to spare, even if the pool has shrunk meanwhile.
    this.#reserved++;
    this.#isFree(frame);
  }

  reference(frame: number): void {
    this.#references.set(frame, (this.#references.get(frame) ?? 0) + 1);
  }

  /** Answers false when the frame is not referenced. */
  unreference(frame: number): boolean {
    const count = this.#references.get(frame);
    if (count === undefined) return false;
    if (count > 1) this.#references.set(frame, count - 1);
    else {
      this.#references.delete(frame);
      if (this.#orphans.delete(frame)) this.#comeBack(frame);
    }
    return true;
  }

  /**
   * Sets how many huge pages there are to be, as writing `nr_hugepages` does (`set_max_huge_pages`):
   * only free and unreserved ones go at once, the others become surplus.
   */
  resize(count: number): void {
    const change = count - (this.#total - this.#surplus);
    if (change >= 0) {
      const accepted = Math.min(change, this.#surplus);
      this.#surplus -= accepted;
      this.#free += change - accepted;
      this.#total += change - accepted;
    } else {
      const gone = Math.min(-change, this.available);
      this.#free -= gone;
      this.#total -= gone;
      this.#surplus += -change - gone;
    }
  }

  /**
   * The contents of a frame, not copied. The system gives real memory only to what is written of
   * it, also of a page of 1 GiB.
   * @throws MemfileError ENOMEM when the process cannot have that much.
   */
  bytes(frame: number): Uint8Array {
    let contents = this.#contents.get(frame);
    if (contents === undefined) {
      try {
        contents = new Uint8Array(this.#bytesInPage);
      } catch (error) {
        const what = `${this.#bytesInPage} bytes of contents`;
        throw new MemfileError('ENOMEM', 'bytes', what, { cause: error });
      }
      this.#contents.set(frame, contents);
    }
    return contents;
  }

  /** Zeroes bytes `[start, end)` of a frame; those that nobody looked at are zero already. */
  zero(frame: number, start: number, end: number): void {
    const whole = end - start === this.#bytesInPage;
    // Nobody has a view of it: forgetting costs less than filling, and gives the memory back.
    if (whole && !this.#references.has(frame)) this.#contents.delete(frame);
    else this.#contents.get(frame)?.fill(0, start, end);
  }

  #comeBack(frame: number): void {
    if (this.#surplus > 0) {
      this.#surplus--;
      this.#total--;
      this.#forget(frame);
    } else this.#isFree(frame);
  }

  #isFree(frame: number): void {
    this.#free++;
    this.#forget(frame);
  }

  #forget(frame: number): void {
    this.#used.add(frame, frame + 1);
    this.#contents.delete(frame);
  }
}
