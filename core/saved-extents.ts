import { Extents } from './extents.js';

/**
 * Runs as text: for each how many pages lie between it and the one before, how many it has, and how
 * much its number differs from what would join it to the one before. Small numbers take one
 * character of five bits, larger ones more, the lowest bits first.
 */
export function saveExtents(map: Extents): string {
  const text = new TextWriter();
  let page = 0;
  let next = 0;
  map.eachRun((start, end, value) => {
    const difference = value - next;
    text.add(start - page);
    text.add(end - start);
    text.add(difference < 0 ? -2 * difference - 1 : 2 * difference);
    page = end;
    next = value + (end - start);
  });
  return text.toString();
}

export function restoreExtents(text: string): Extents {
  const map = new Extents();
  let at = 0;
  const take = (): number => {
    let number = 0;
    for (let unit = 1; ; unit *= 32) {
      const code = text.charCodeAt(at++);
      const bits = code > BACKSLASH ? code - FIRST - 1 : code - FIRST;
      if (bits < MORE) return number + bits * unit;
      number += (bits - MORE) * unit;
    }
  };
  for (let page = 0, next = 0; at < text.length;) {
    const start = page + take();
    const end = start + take();
    const difference = take();
    const value = next + (difference % 2 === 0 ? difference / 2 : -(difference + 1) / 2);
    map.set(start, end, value);
    page = end;
    next = value + (end - start);
  }
  return map;
}

/** Set in every character of a number but its last. */
const MORE = 32;
/** 64 characters from '#' on, without the one that JSON would escape. */
const FIRST = 35;
const BACKSLASH = 92;

/** Text of single bytes: strings that grow by a character cost ten times as much. */
class TextWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  add(number: number): void {
    let rest = number;
    for (; rest >= MORE; rest = Math.floor(rest / 32)) this.#put((rest % 32) + MORE);
    this.#put(rest);
  }

  toString(): string {
    return new TextDecoder().decode(this.#bytes.subarray(0, this.#length));
  }

  #put(bits: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const code = bits + FIRST;
    this.#bytes[this.#length++] = code < BACKSLASH ? code : code + 1;
  }
}
