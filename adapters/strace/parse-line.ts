import { readPrefix } from './line-prefix.js';
import { numberBetween } from './numbers.js';
import {
  NextQuote,
  byteAt,
  bytesOf,
  closingParenthesis,
  lastParenthesis,
  standsAt,
  textOf,
} from './scan.js';
import { wordBetween } from './words.js';

/**
 * A call whose end the log tells. Its arguments are left where they stand, between `from` and `to`
 * of `bytes`: few calls need them split.
 */
export interface Call {
  readonly type: 'call';
  readonly tid: number;
  readonly name: string;
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  /** NaN for `= ?`. */
  readonly result: number;
  /** Set when it failed, or when `= ?` tells why. */
  readonly errno: string | undefined;
}

export type ParsedLine =
  | Call
  | {
      readonly type: 'unfinished';
      readonly tid: number;
      readonly name: string;
      readonly args: string;
    }
  | { readonly type: 'resumed'; readonly tid: number; readonly name: string; readonly rest: string }
  | { readonly type: 'exit'; readonly tid: number }
  | { readonly type: 'signal'; readonly tid: number }
  /** strace speaking of itself: processes attached and detached, personalities. */
  | { readonly type: 'remark' };

export const UNFINISHED = ' <unfinished ...>';
/** The thread ended inside the call. */
export const LOST = '<unfinished ...>) = ?';
const DETACHED = ' <detached ...>';
const RESUMED = ' resumed>';

const SPACE = 32;
const OPEN_PAREN = 40;
const DASH = 45;
const DOT = 46;
const LESS = 60;
const EQUALS = 61;
const GREATER = 62;
const QUESTION = 63;

const OF_NAMES = new Uint8Array(256);
for (const char of 'abcdefghijklmnopqrstuvwxyz0123456789_?') OF_NAMES[char.charCodeAt(0)] = 1;

const REMARK = /^(?:strace: )?(?:Process \d+|\[ Process PID=|attach: )/;
const EXIT = /^\+\+\+ (?:exited with|killed by) .*\+\+\+$/;
const OTHER_EVENT = /^(?:--- (?:SIG|RT_|stopped by ).*---|\+\+\+ superseded by execve.*\+\+\+)$/;

const nextQuote = new NextQuote();

/** Reads the line at [start, end); undefined when it is none of strace's. */
export function parseLine(bytes: Buffer, start: number, end: number): ParsedLine | undefined {
  const { tid, at } = readPrefix(bytes, start, end);
  const open = at < 0 ? -1 : endOfName(bytes, at, end);
  if (open < 0) return parseOther(textOf(bytes, start, end), tid, at - start);
  const name = wordBetween(bytes, at, open);
  const cut = cutOff(bytes, end);
  if (cut > 0) {
    return { type: 'unfinished', tid, name, args: textOf(bytes, open + 1, end - cut) };
  }
  const stop = withoutDuration(bytes, open, end);
  const backwards = !nextQuote.isIn(bytes, open, stop) && !endsWithAnnotation(bytes, stop);
  const to = backwards
    ? lastParenthesis(bytes, open + 1, stop)
    : closingParenthesis(bytes, open + 1, stop);
  return to < 0 ? undefined : withResult(tid, name, bytes, open + 1, to, stop);
}

/** Reads a call put together from its halves, `args) = result`. */
export function parseCompletion(tid: number, name: string, text: string): Call | undefined {
  const bytes = bytesOf(text);
  const stop = withoutDuration(bytes, 0, bytes.length);
  const to = closingParenthesis(bytes, 0, stop);
  return to < 0 ? undefined : withResult(tid, name, bytes, 0, to, stop);
}

/** A descriptor's annotation may hold anything, even `) = 0`: behind it nothing can be found. */
function endsWithAnnotation(bytes: Buffer, end: number): boolean {
  return bytes[end - 1] === GREATER || standsAt(bytes, '>(deleted)', end - 10, end);
}

/** The index of the `(` behind a call's name that starts at `at`, or -1. */
function endOfName(bytes: Buffer, at: number, end: number): number {
  for (let i = at; i < end; i += 1) {
    const char = byteAt(bytes, i);
    if (OF_NAMES[char] !== 1) return char === OPEN_PAREN && i > at ? i : -1;
  }
  return -1;
}

/**
 * The length of the remark that ends a call begun and not completed on this line, or 0. Behind an
 * honest one nothing follows: strace escapes `<` in annotations, and strings end with a quote.
 */
function cutOff(bytes: Buffer, end: number): number {
  const last = bytes[end - 1];
  if (last === GREATER) {
    if (standsAt(bytes, UNFINISHED, end - UNFINISHED.length, end)) return UNFINISHED.length;
    if (standsAt(bytes, DETACHED, end - DETACHED.length, end)) return DETACHED.length;
  } else if (last === QUESTION && standsAt(bytes, LOST, end - LOST.length, end)) {
    return LOST.length;
  }
  return 0;
}

/** The end without the duration of -T, ` <0.000123>`. */
function withoutDuration(bytes: Buffer, from: number, end: number): number {
  if (bytes[end - 1] !== GREATER) return end;
  let i = end - 2;
  while (i > from && isDuration(byteAt(bytes, i))) i -= 1;
  return bytes[i] === LESS && bytes[i - 1] === SPACE ? i - 1 : end;
}

function isDuration(char: number): boolean {
  return (char >= 48 && char <= 57) || char === DOT;
}

/** Reads ` = result` behind the parenthesis at `to`; undefined when the line stops before. */
function withResult(
  tid: number,
  name: string,
  bytes: Buffer,
  from: number,
  to: number,
  end: number,
): Call | undefined {
  let at = to + 1;
  while (bytes[at] === SPACE) at += 1;
  if (bytes[at] !== EQUALS || bytes[at + 1] !== SPACE) return undefined;
  at += 2;
  const stop = endOfResult(bytes, at, end);
  if (stop === at + 1 && bytes[at] === QUESTION) {
    const errno = errnoAt(bytes, stop + 1, end);
    return { type: 'call', tid, name, bytes, from, to, result: NaN, errno };
  }
  const result = numberBetween(bytes, at, stop);
  if (Number.isNaN(result)) return undefined;
  const failed = result === -1 && bytes[at] === DASH;
  const errno = failed ? (errnoAt(bytes, stop + 1, end) ?? 'without errno') : undefined;
  return { type: 'call', tid, name, bytes, from, to, result, errno };
}

/** A result ends at a space, or at the annotation of a descriptor. */
function endOfResult(bytes: Buffer, at: number, end: number): number {
  for (let i = at; i < end; i += 1) {
    const char = byteAt(bytes, i);
    if (char === SPACE || char === LESS) return i;
  }
  return end;
}

function errnoAt(bytes: Buffer, at: number, end: number): string | undefined {
  if (at >= end) return undefined;
  const word = wordBetween(bytes, at, endOfResult(bytes, at, end));
  return /^[A-Z][A-Z0-9_]*$/.test(word) ? word : undefined;
}

function parseOther(line: string, tid: number, at: number): ParsedLine | undefined {
  if (at < 0) return remark(line);
  if (line.startsWith('<... ', at)) {
    const end = line.indexOf(RESUMED, at);
    if (end < 0) return undefined;
    const name = line.slice(at + 5, end);
    return { type: 'resumed', tid, name, rest: line.slice(end + RESUMED.length) };
  }
  const rest = line.slice(at);
  if (EXIT.test(rest)) return { type: 'exit', tid };
  if (OTHER_EVENT.test(rest)) return { type: 'signal', tid };
  return remark(line.slice(at)) ?? remark(line);
}

function remark(line: string): ParsedLine | undefined {
  return REMARK.test(line) ? { type: 'remark' } : undefined;
}
