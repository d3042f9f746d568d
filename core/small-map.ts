/** From here on a search costs more than a hash. */
const FEW = 8;

/**
 * A map from numbers that mostly holds a few: what is open now, what is borrowed now. Entries come
 * and go with every operation, which costs a `Map` more than everything else in it.
 */
export class SmallMap<Value> {
  #keys: number[] = [];
  #values: (Value | undefined)[] = [];
  /** How many of those are in use: arrays that shrink and grow are copied. */
  #few = 0;
  /** Everything, once there is more than a few, until all of that is gone. */
  #many: Map<number, Value> | undefined;

  get size(): number {
    return this.#many === undefined ? this.#few : this.#many.size;
  }

  has(key: number): boolean {
    return this.#many === undefined ? this.#at(key) >= 0 : this.#many.has(key);
  }

  get(key: number): Value | undefined {
    const last = this.#few - 1;
    if (last >= 0 && this.#keys[last] === key) return this.#values[last];
    return this.#getOther(key);
  }

  #getOther(key: number): Value | undefined {
    if (this.#many !== undefined) return this.#many.get(key);
    const at = this.#at(key);
    return at < 0 ? undefined : this.#values[at];
  }

  set(key: number, value: Value): this {
    if (this.#few !== 0 || this.#many !== undefined) return this.#setAmong(key, value);
    this.#keys[0] = key;
    this.#values[0] = value;
    this.#few = 1;
    return this;
  }

  #setAmong(key: number, value: Value): this {
    if (this.#many !== undefined) {
      this.#many.set(key, value);
      return this;
    }
    const at = this.#at(key);
    if (at >= 0) this.#values[at] = value;
    else if (this.#few < FEW) {
      this.#keys[this.#few] = key;
      this.#values[this.#few++] = value;
    } else {
      this.#many = new Map(this).set(key, value);
      this.#keys = [];
      this.#values = [];
      this.#few = 0;
    }
    return this;
  }

  delete(key: number): boolean {
    const last = this.#few - 1;
    if (last < 0 || this.#keys[last] !== key) return this.#deleteOther(key);
    this.#few = last;
    this.#values[last] = undefined;
    return true;
  }

  #deleteOther(key: number): boolean {
    if (this.#many !== undefined) {
      const deleted = this.#many.delete(key);
      if (this.#many.size === 0) this.#many = undefined;
      return deleted;
    }
    const at = this.#at(key);
    if (at < 0) return false;
    const last = --this.#few;
    this.#keys.copyWithin(at, at + 1, last + 1);
    this.#values.copyWithin(at, at + 1, last + 1);
    this.#values[last] = undefined;
    return true;
  }

  /** In the order of insertion, as those of a `Map`. */
  *[Symbol.iterator](): IterableIterator<[number, Value]> {
    if (this.#many !== undefined) yield* this.#many;
    else for (let at = 0; at < this.#few; at++) yield [this.#keys[at]!, this.#values[at]!];
  }

  keys(): Iterable<number> {
    return this.#many === undefined ? this.#keys.slice(0, this.#few) : this.#many.keys();
  }

  values(): Iterable<Value> {
    if (this.#many !== undefined) return this.#many.values();
    return this.#values.slice(0, this.#few) as Value[];
  }

  /** From the newest on, as that is the one most often asked for. */
  #at(key: number): number {
    let at = this.#few - 1;
    while (at >= 0 && this.#keys[at] !== key) at--;
    return at;
  }
}
