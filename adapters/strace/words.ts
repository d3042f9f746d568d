import { byteAt, standsAt, textOf } from './scan.js';

const SLOTS = 1024;
const LONGEST = 64;
const words: (string | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

/**
 * The text at [from, end), as the same string object for the same word. A log says `madvise` and
 * `MADV_DONTNEED` a million times; decoded anew, each would be hashed anew by every map it meets.
 */
export function wordBetween(bytes: Buffer, from: number, end: number): string {
  const length = end - from;
  if (length <= 0 || length > LONGEST) return textOf(bytes, from, end);
  const middle = byteAt(bytes, from + (length >> 1));
  const hash = byteAt(bytes, from) * 31 + middle * 7 + byteAt(bytes, end - 1) * 131 + length;
  const slot = hash & (SLOTS - 1);
  const known = words[slot];
  if (known?.length === length && standsAt(bytes, known, from, end)) return known;
  const word = textOf(bytes, from, end);
  words[slot] = word;
  return word;
}

const REMEMBERED = 1000;
const phrases = new Map<string, Map<string, string>>();
let remembered = 0;

/** Two words with a space between them, as the same string object too if there are not too many. */
export function phrase(first: string, second: string): string {
  const known = phrases.get(first)?.get(second);
  if (known !== undefined) return known;
  const made = `${first} ${second}`;
  if (remembered < REMEMBERED) {
    remembered += 1;
    const more = phrases.get(first);
    if (more === undefined) phrases.set(first, new Map([[second, made]]));
    else more.set(second, made);
  }
  return made;
}
