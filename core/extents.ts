import type { PageRange } from './page-range.js';

/** Pages `[start, end)` that hold the numbers `value`, `value + 1`, … */
export interface Extent extends PageRange {
  readonly value: number;
}

/** The extents of one chunk, sorted; page numbers are relative to the chunk. */
class Chunk {
  count = 0;
  starts = new Uint32Array(4);
  ends = new Uint32Array(4);
  values = new Float64Array(4);

  /** The first extent that ends past `page`. */
  find(page: number): number {
    const { ends } = this;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ends[middle]! > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Replaces what `[start, end)` holds by a run from `value`, or by nothing when it is below 0. */
  replace(start: number, end: number, value: number): number {
    const { starts, ends, values } = this;
    let from = this.find(start);
    let to = from;
    let removed = 0;
    while (to < this.count && starts[to]! < end) {
      removed += Math.min(ends[to]!, end) - Math.max(starts[to]!, start);
      to++;
    }
    const headStart = to > from ? starts[from]! : start;
    const headValue = to > from ? values[from]! : 0;
    const tailEnd = to > from ? ends[to - 1]! : end;
    const tailValue = to > from ? values[to - 1]! + (end - starts[to - 1]!) : 0;
    let keepHead = headStart < start;
    let keepTail = tailEnd > end;
    if (value >= 0) {
      if (keepHead) {
        if (headValue + (start - headStart) === value) {
          [start, value, keepHead] = [headStart, headValue, false];
        }
      } else if (from > 0 && ends[from - 1] === start) {
        const before = from - 1;
        if (values[before]! + (start - starts[before]!) === value) {
          [start, value, from] = [starts[before]!, values[before]!, before];
        }
      }
      if (keepTail) {
        if (value + (end - start) === tailValue) [end, keepTail] = [tailEnd, false];
      } else if (to < this.count && starts[to] === end && value + (end - start) === values[to]!) {
        end = ends[to]!;
        to++;
      }
    }
    let at = this.#makeRoom(from, to, Number(keepHead) + Number(value >= 0) + Number(keepTail));
    // An extent ends where the next begins, so the bounds of the middle serve all three.
    if (keepHead) this.#write(at++, headStart, start, headValue);
    if (value >= 0) this.#write(at++, start, end, value);
    if (keepTail) this.#write(at, end, tailEnd, tailValue);
    return removed;
  }

  #write(at: number, start: number, end: number, value: number): void {
    this.starts[at] = start;
    this.ends[at] = end;
    this.values[at] = value;
  }

  /** Makes the extents `[from, to)` exactly `wanted` many. */
  #makeRoom(from: number, to: number, wanted: number): number {
    const count = this.count + wanted - (to - from);
    if (count > this.starts.length) this.#grow(Math.max(count, this.starts.length * 2));
    if (from + wanted !== to) this.#shift(to, from + wanted);
    this.count = count;
    return from;
  }

  /** Moves the extents from `at` on to `target`. */
  #shift(at: number, target: number): void {
    const { starts, ends, values, count } = this;
    if (count - at > 64) {
      starts.copyWithin(target, at, count);
      ends.copyWithin(target, at, count);
      values.copyWithin(target, at, count);
      return;
    }
    // A loop is faster than three calls into the runtime for as little as this.
    const step = target < at ? 1 : -1;
    for (let i = step > 0 ? at : count - 1; i >= at && i < count; i += step) {
      starts[i + target - at] = starts[i]!;
      ends[i + target - at] = ends[i]!;
      values[i + target - at] = values[i]!;
    }
  }

  #grow(capacity: number): void {
    const { starts, ends, values } = this;
    (this.starts = new Uint32Array(capacity)).set(starts);
    (this.ends = new Uint32Array(capacity)).set(ends);
    (this.values = new Float64Array(capacity)).set(values);
  }
}

/**
 * A map from pages to numbers, as sorted runs: page frames of a file, a set of pages, stage-2.
 *
 * A run of n pages holds n consecutive numbers, so neighbours join when their numbers do. Runs are
 * kept in chunks of 2^20 pages, so that no operation moves more than one chunk's runs: 2^28 pages
 * cost a run per chunk when full.
 */
export class Extents {
  readonly #chunkSize: number;
  readonly #chunks = new Map<number, Chunk>();
  /** The numbers of the chunks in use, sorted, so that a huge range visits only what is there. */
  readonly #keys: number[] = [];
  #pages = 0;
  /** At least how many chunks are empty: counts one that was filled again and emptied twice. */
  #emptied = 0;

  /** @param chunkSize pages in a chunk, at most 2^32 - 1. */
  constructor(chunkSize: number = 2 ** 20) {
    this.#chunkSize = chunkSize;
  }

  /** How many pages hold a number. */
  get pages(): number {
    return this.#pages;
  }

  /** The end of the last run, 0 when there is none. */
  get limit(): number {
    for (let k = this.#keys.length - 1; k >= 0; k--) {
      const key = this.#keys[k]!;
      const chunk = this.#chunks.get(key)!;
      if (chunk.count > 0) return key * this.#chunkSize + chunk.ends[chunk.count - 1]!;
    }
    return 0;
  }

  /** The first run, or undefined when nothing is held. */
  first(): Extent | undefined {
    for (const key of this.#keys) {
      const { count, starts, ends, values } = this.#chunks.get(key)!;
      if (count === 0) continue;
      const base = key * this.#chunkSize;
      return { start: base + starts[0]!, end: base + ends[0]!, value: values[0]! };
    }
    return undefined;
  }

  /** The number that a page holds, or -1. */
  get(page: number): number {
    const key = Math.floor(page / this.#chunkSize);
    const chunk = this.#chunks.get(key);
    if (chunk === undefined) return -1;
    const offset = page - key * this.#chunkSize;
    const at = chunk.find(offset);
    if (at === chunk.count || chunk.starts[at]! > offset) return -1;
    return chunk.values[at]! + (offset - chunk.starts[at]!);
  }

  has(page: number): boolean {
    return this.get(page) >= 0;
  }

  /** Lets the pages `[start, end)` hold `value`, `value + 1`, …; what they held is forgotten. */
  set(start: number, end: number, value: number): void {
    const size = this.#chunkSize;
    for (let at = start; at < end;) {
      const key = Math.floor(at / size);
      const stop = Math.min(end, (key + 1) * size);
      const removed = this.#chunk(key).replace(at - key * size, stop - key * size, value);
      this.#pages += stop - at - removed;
      value += stop - at;
      at = stop;
    }
  }

  /** A set of pages is the map of every page to itself. */
  add(start: number, end: number): void {
    this.set(start, end, start);
  }

  /** Forgets what the pages `[start, end)` hold; returns how many held something. */
  delete(start: number, end: number): number {
    const size = this.#chunkSize;
    let removed = 0;
    for (let k = this.#keyFrom(start); k < this.#keys.length; k++) {
      const base = this.#keys[k]! * size;
      if (base >= end) break;
      const chunk = this.#chunks.get(this.#keys[k]!)!;
      removed += chunk.replace(Math.max(start - base, 0), Math.min(end - base, size), -1);
      if (chunk.count === 0) this.#emptied++;
    }
    if (this.#emptied > 8 && this.#emptied * 2 > this.#keys.length) this.#dropEmptied();
    this.#pages -= removed;
    return removed;
  }

  /** The runs in `[start, end)`, clipped to it and in order. */
  runs(start = 0, end = Infinity): Extent[] {
    const found: { start: number; end: number; value: number }[] = [];
    this.#visit(start, end, (from, to, value) => {
      const last = found.at(-1);
      // A run that crosses a chunk's border is stored as two.
      if (last?.end === from && last.value + (from - last.start) === value) last.end = to;
      else found.push({ start: from, end: to, value });
    });
    return found;
  }

  /** The pages of `[start, end)` that hold something, whatever it is, as sorted ranges. */
  ranges(start = 0, end = Infinity): PageRange[] {
    const found: { start: number; end: number }[] = [];
    this.#visit(start, end, (from, to) => {
      const last = found.at(-1);
      if (last?.end === from) last.end = to;
      else found.push({ start: from, end: to });
    });
    return found;
  }

  /** The pages of `[start, end)` that hold nothing, as sorted ranges. */
  holes(start: number, end: number): PageRange[] {
    const found: PageRange[] = [];
    let at = start;
    this.#visit(start, end, (from, to) => {
      if (from > at) found.push({ start: at, end: from });
      at = to;
    });
    if (at < end) found.push({ start: at, end });
    return found;
  }

  #visit(
    start: number,
    end: number,
    seen: (from: number, to: number, value: number) => void,
  ): void {
    const size = this.#chunkSize;
    if (start >= end) return;
    for (let k = this.#keyFrom(start); k < this.#keys.length; k++) {
      const base = this.#keys[k]! * size;
      if (base >= end) return;
      const chunk = this.#chunks.get(this.#keys[k]!)!;
      for (let i = chunk.find(Math.max(start - base, 0)); i < chunk.count; i++) {
        const first = base + chunk.starts[i]!;
        if (first >= end) return;
        const from = Math.max(first, start);
        seen(from, Math.min(base + chunk.ends[i]!, end), chunk.values[i]! + (from - first));
      }
    }
  }

  /** Now and then, so that a page that comes and goes does not make and drop a chunk each time. */
  #dropEmptied(): void {
    let kept = 0;
    for (const key of this.#keys) {
      if (this.#chunks.get(key)!.count === 0) this.#chunks.delete(key);
      else this.#keys[kept++] = key;
    }
    this.#keys.length = kept;
    this.#emptied = 0;
  }

  #chunk(key: number): Chunk {
    let chunk = this.#chunks.get(key);
    if (chunk === undefined) {
      chunk = new Chunk();
      this.#chunks.set(key, chunk);
      this.#keys.splice(this.#keyFrom(key * this.#chunkSize), 0, key);
    }
    return chunk;
  }

  /** The first chunk that reaches past `page`. */
  #keyFrom(page: number): number {
    const key = Math.floor(page / this.#chunkSize);
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! >= key) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
