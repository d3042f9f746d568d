/** Frames of one block. */
const BLOCK = 2 ** 14;

/** A set of frames, a bit for each: they come and go by the million, in any order. */
export class FrameSet {
  /** By number of the block; of those without a frame, only `#emptied` may be there. */
  readonly #blocks = new Map<number, Block>();
  /** Left there, as a frame may come and go where no other is. */
  #emptied = -1;

  /** Adds frames; answers whether one of them was there. */
  add(start: number, end: number): boolean {
    let there = false;
    for (let from = start; from < end;) {
      const key = Math.floor(from / BLOCK);
      const low = key * BLOCK;
      const to = Math.min(end, low + BLOCK);
      let block = this.#blocks.get(key);
      if (block === undefined) this.#blocks.set(key, (block = new Block()));
      if (block.add(from - low, to - low)) there = true;
      from = to;
    }
    return there;
  }

  remove(start: number, end: number): void {
    for (let from = start; from < end;) {
      const key = Math.floor(from / BLOCK);
      const low = key * BLOCK;
      const to = Math.min(end, low + BLOCK);
      const block = this.#blocks.get(key);
      block?.remove(from - low, to - low);
      if (block?.empty === true && key !== this.#emptied) {
        if (this.#blocks.get(this.#emptied)?.empty === true) this.#blocks.delete(this.#emptied);
        this.#emptied = key;
      }
      from = to;
    }
  }

  has(frame: number): boolean {
    return this.#blocks.get(Math.floor(frame / BLOCK))?.touches(frame % BLOCK) ?? false;
  }

  /** Whether one of the frames is in the set. */
  touches(start: number, end: number): boolean {
    if (this.#blocks.size === 0) return false;
    for (let from = start; from < end;) {
      const key = Math.floor(from / BLOCK);
      const low = key * BLOCK;
      const to = Math.min(end, low + BLOCK);
      if (this.#blocks.get(key)?.touches(from - low, to - low) === true) return true;
      from = to;
    }
    return false;
  }

  /** Whether all of the frames are in the set. */
  covers(start: number, end: number): boolean {
    for (let frame = start; frame < end; frame++) if (!this.has(frame)) return false;
    return true;
  }
}

class Block {
  readonly #words = new Int32Array(BLOCK / 32);
  /** How many words are not 0. */
  #used = 0;

  get empty(): boolean {
    return this.#used === 0;
  }

  add(from: number, to: number): boolean {
    const words = this.#words;
    const last = (to - 1) >> 5;
    let there = 0;
    for (let at = from >> 5; at <= last; at++) {
      const word = words[at]!;
      const bits = bitsOf(at, from, to);
      if (word === 0) this.#used++;
      there |= word & bits;
      words[at] = word | bits;
    }
    return there !== 0;
  }

  remove(from: number, to: number): void {
    const words = this.#words;
    const last = (to - 1) >> 5;
    for (let at = from >> 5; at <= last; at++) {
      const word = words[at]!;
      const left = word & ~bitsOf(at, from, to);
      if (word !== 0 && left === 0) this.#used--;
      words[at] = left;
    }
  }

  touches(from: number, to: number = from + 1): boolean {
    const words = this.#words;
    const last = (to - 1) >> 5;
    for (let at = from >> 5; at <= last; at++) {
      if ((words[at]! & bitsOf(at, from, to)) !== 0) return true;
    }
    return false;
  }
}

/** The bits of a word that stand for what it has of `[from, to)`, which is something. */
function bitsOf(word: number, from: number, to: number): number {
  const low = word * 32;
  const first = from > low ? -1 << (from - low) : -1;
  return to < low + 32 ? first & ~(-1 << (to - low)) : first;
}
