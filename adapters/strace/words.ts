import { detached } from './printable.js';

const SLOTS = 1024;
const LONGEST = 64;
const words: (string | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

/**
 * The text at [from, end), as the same string object for the same word. A log says `madvise` and
 * `MADV_DONTNEED` a million times; cut out anew, each would be hashed anew by every map it meets.
 */
export function wordBetween(text: string, from: number, end: number): string {
  const length = end - from;
  if (length <= 0 || length > LONGEST) return text.slice(from, end);
  const middle = text.charCodeAt(from + (length >> 1));
  const hash = text.charCodeAt(from) * 31 + middle * 7 + text.charCodeAt(end - 1) * 131 + length;
  const slot = hash & (SLOTS - 1);
  const known = words[slot];
  if (known !== undefined && known.length === length && text.startsWith(known, from)) return known;
  const word = detached(text.slice(from, end));
  words[slot] = word;
  return word;
}
