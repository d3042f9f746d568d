import { byteAt, indexOfCode, standsAt, textOf } from './scan.js';

/** Where the columns in front of a call end, and the thread they name: 0 when they name none. */
export interface Prefix {
  tid: number;
  /** -1 when the line does not begin as strace's lines do. */
  at: number;
}

const SPACE = 32;
const OPEN_PAREN = 40;
const CLOSE_PAREN = 41;
const PLUS = 43;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;

// A larger integer in the first column is no thread id but a stamp in whole seconds.
const MAX_TID = 4_194_304;

// One object for all lines: it is read at once by the only caller, and a log has millions.
const prefix: Prefix = { tid: 0, at: 0 };

/**
 * Steps over thread id, `[pid 7]`, stamps (15:41:30.206238, 1795362172.889538, 0.000123,
 * `(+     0.000050)`) and other bracketed columns (-i, -n), in whatever order they come.
 */
export function readPrefix(bytes: Buffer, start: number, end: number): Readonly<Prefix> {
  let at = start;
  let tid = 0;
  while (at < end) {
    const char = byteAt(bytes, at);
    if (char === SPACE) {
      at += 1;
    } else if (isDigit(char)) {
      let value = 0;
      for (; at < end && isDigit(byteAt(bytes, at)); at += 1) value = value * 10 + bytes[at]! - 48;
      if (at === end || bytes[at] === SPACE) {
        if (tid === 0 && value <= MAX_TID) tid = value;
      } else {
        while (at < end && OF_STAMPS[byteAt(bytes, at)] === 1) at += 1;
        if (at < end && bytes[at] !== SPACE) return found(0, -1);
      }
    } else if (char === OPEN_BRACKET) {
      const close = indexOfCode(bytes, CLOSE_BRACKET, at, end);
      if (close < 0) return found(0, -1);
      if (standsAt(bytes, '[pid ', at, end)) tid = Number(textOf(bytes, at + 5, close)) || 0;
      at = close + 1;
    } else if (char === OPEN_PAREN && bytes[at + 1] === PLUS) {
      const close = indexOfCode(bytes, CLOSE_PAREN, at, end);
      if (close < 0) return found(0, -1);
      at = close + 1;
    } else {
      break;
    }
  }
  return found(tid, at);
}

function isDigit(char: number): boolean {
  return char >= 48 && char <= 57;
}

const OF_STAMPS = new Uint8Array(256);
for (const char of '0123456789:.') OF_STAMPS[char.charCodeAt(0)] = 1;

function found(tid: number, at: number): Readonly<Prefix> {
  prefix.tid = tid;
  prefix.at = at;
  return prefix;
}
