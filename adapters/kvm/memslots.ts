import type { Memslot } from './memslot.js';

/**
 * The slots of a VM at one moment. A table never changes: a change publishes another one, and
 * whoever reads this one goes on reading it, as `struct kvm_memslots` under SRCU.
 */
export class Memslots implements Iterable<Memslot> {
  /** Sorted by guest page. */
  readonly #slots: readonly Memslot[];
  readonly #byNumber: ReadonlyMap<number, Memslot>;
  /** The slot that was found last: whoever asks for one often asks again. */
  #recent: Memslot | undefined;

  constructor(slots: readonly Memslot[] = []) {
    this.#slots = slots;
    this.#byNumber = new Map(slots.map((slot) => [slot.slot, slot]));
  }

  get size(): number {
    return this.#slots.length;
  }

  /** The slot of that number. */
  get(slot: number): Memslot | undefined {
    return this.#byNumber.get(slot);
  }

  /** The slot that a guest page is in. */
  at(gfn: number): Memslot | undefined {
    const recent = this.#recent;
    if (recent !== undefined && gfn >= recent.start && gfn < recent.end) return recent;
    const slot = this.#slots[this.#after(gfn) - 1];
    if (slot === undefined || gfn >= slot.end) return undefined;
    return (this.#recent = slot);
  }

  /** The slots that have any of the guest pages `[start, end)`, in order. */
  within(start: number, end: number): readonly Memslot[] {
    const last = this.#after(end - 1);
    let first = last;
    while (first > 0 && this.#slots[first - 1]!.end > start) first--;
    return this.#slots.slice(first, last);
  }

  /** A slot other than `but` that has any of the guest pages `[start, end)`. */
  overlapping(start: number, end: number, but: number): Memslot | undefined {
    for (let i = this.#after(end - 1) - 1; i >= 0 && this.#slots[i]!.end > start; i--) {
      if (this.#slots[i]!.slot !== but) return this.#slots[i];
    }
    return undefined;
  }

  /** The table with this slot in place of the one of its number. */
  with(slot: Memslot): Memslots {
    const others = this.#slots.filter((other) => other.slot !== slot.slot);
    const at = others.findIndex((other) => other.start > slot.start);
    others.splice(at < 0 ? others.length : at, 0, slot);
    return new Memslots(others);
  }

  without(slot: number): Memslots {
    return new Memslots(this.#slots.filter((other) => other.slot !== slot));
  }

  [Symbol.iterator](): Iterator<Memslot> {
    return this.#slots[Symbol.iterator]();
  }

  /** How many slots begin at `gfn` or before. */
  #after(gfn: number): number {
    let low = 0;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#slots[middle]!.start > gfn) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
