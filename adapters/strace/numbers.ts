import { byteAt, bytesOf } from './scan.js';

const ZERO = 48;
const NINE = 57;
const DASH = 45;
const LOWER_A = 97;
const LOWER_F = 102;
const LOWER_X = 120;

/**
 * The decimal or 0x number that fills [from, end), if it can be counted with exactly; otherwise
 * NaN. Written out because a log has several of them on every line.
 */
export function numberBetween(bytes: Uint8Array, from: number, end: number): number {
  if (from >= end) return NaN;
  let i = from;
  let value = 0;
  if (bytes[i] === ZERO && bytes[i + 1] === LOWER_X) {
    i += 2;
    if (i >= end) return NaN;
    for (; i < end; i += 1) {
      const char = byteAt(bytes, i);
      if (char >= ZERO && char <= NINE) value = value * 16 + char - ZERO;
      else if (char >= LOWER_A && char <= LOWER_F) value = value * 16 + char - LOWER_A + 10;
      else return NaN;
    }
    return value <= Number.MAX_SAFE_INTEGER ? value : NaN;
  }
  const negative = bytes[i] === DASH;
  if (negative) i += 1;
  if (i >= end) return NaN;
  for (; i < end; i += 1) {
    const char = byteAt(bytes, i);
    if (char < ZERO || char > NINE) return NaN;
    value = value * 10 + char - ZERO;
  }
  if (value > Number.MAX_SAFE_INTEGER) return NaN;
  return negative && value > 0 ? -value : value;
}

const OF_NUMBERS = new Uint8Array(256);
for (const char of '0123456789abcdefx') OF_NUMBERS[char.charCodeAt(0)] = 1;

/** Where what may be a number ends. */
export function endOfNumber(bytes: Uint8Array, from: number, end: number): number {
  let i = from;
  while (i < end && OF_NUMBERS[byteAt(bytes, i)] === 1) i += 1;
  return i;
}

export function parseNumber(text: string | undefined): number {
  return text === undefined ? NaN : numberBetween(bytesOf(text), 0, text.length);
}
