import { readPrefix } from './line-prefix.js';
import { numberBetween } from './numbers.js';
import { Landmarks, closingParenthesis, lastParenthesis } from './scan.js';
import { wordBetween } from './words.js';

/**
 * A call whose end the log tells. Its arguments are left where they stand, between `from` and `to`
 * of `text`: few calls need them split.
 */
export interface Call {
  readonly type: 'call';
  readonly tid: number;
  readonly name: string;
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** NaN for `= ?`. */
  readonly result: number;
  /** Set when it failed, or when `= ?` tells why. */
  readonly errno: string | undefined;
}

export type ParsedLine =
  | Call
  | { readonly type: 'unfinished'; readonly tid: number; readonly name: string; readonly args: string }
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
const UNDERSCORE = 95;

const REMARK = /^(?:strace: )?(?:Process \d+|\[ Process PID=|attach: )/;
const EXIT = /^\+\+\+ (?:exited with|killed by) .*\+\+\+$/;
const OTHER_EVENT = /^(?:--- (?:SIG|RT_|stopped by ).*---|\+\+\+ superseded by execve.*\+\+\+)$/;

// One parser reads one text at a time; another text only costs the landmarks of the last one.
const landmarks = new Landmarks();

/** Reads the line at [start, end) of a text; undefined when it is none of strace's. */
export function parseLine(text: string, start: number, end: number): ParsedLine | undefined {
  const { tid, at } = readPrefix(text, start, end);
  const open = at < 0 ? -1 : endOfName(text, at, end);
  if (open < 0) return parseOther(text.slice(start, end), tid, at - start);
  const name = wordBetween(text, at, open);
  const cut = cutOff(text, end);
  if (cut > 0) return { type: 'unfinished', tid, name, args: text.slice(open + 1, end - cut) };
  return parseCompletion(tid, name, text, open + 1, end);
}

/** The index of the `(` behind a call's name that starts at `at`, or -1. */
function endOfName(text: string, at: number, end: number): number {
  for (let i = at; i < end; i += 1) {
    const char = text.charCodeAt(i);
    const letter = (char >= 97 && char <= 122) || char === UNDERSCORE || char === QUESTION;
    if (!letter && !(char >= 48 && char <= 57)) return char === OPEN_PAREN && i > at ? i : -1;
  }
  return -1;
}

/**
 * The length of the remark that ends a call begun and not completed on this line, or 0. Behind an
 * honest one nothing follows: strace escapes `<` in annotations, and strings end with a quote.
 */
function cutOff(text: string, end: number): number {
  const last = text.charCodeAt(end - 1);
  if (last === GREATER) {
    if (text.startsWith(UNFINISHED, end - UNFINISHED.length)) return UNFINISHED.length;
    if (text.startsWith(DETACHED, end - DETACHED.length)) return DETACHED.length;
  } else if (last === QUESTION && text.startsWith(LOST, end - LOST.length)) {
    return LOST.length;
  }
  return 0;
}

/** Reads `args) = result` at [from, end); undefined when it stops before its result. */
export function parseCompletion(
  tid: number,
  name: string,
  text: string,
  from: number,
  end: number,
): Call | undefined {
  const stop = withoutDuration(text, from, end);
  const plain = landmarks.plain(text, from, stop);
  const to = plain ? lastParenthesis(text, from, stop) : closingParenthesis(text, from, stop);
  if (to < 0) return undefined;
  return withResult(tid, name, text, from, to, stop);
}

/** The end without the duration of -T, ` <0.000123>`. */
function withoutDuration(text: string, from: number, end: number): number {
  if (text.charCodeAt(end - 1) !== GREATER) return end;
  let i = end - 2;
  while (i > from && isDuration(text.charCodeAt(i))) i -= 1;
  return text.charCodeAt(i) === LESS && text.charCodeAt(i - 1) === SPACE ? i - 1 : end;
}

function isDuration(char: number): boolean {
  return (char >= 48 && char <= 57) || char === DOT;
}

function withResult(
  tid: number,
  name: string,
  text: string,
  from: number,
  to: number,
  end: number,
): Call | undefined {
  let at = to + 1;
  while (text.charCodeAt(at) === SPACE) at += 1;
  if (text.charCodeAt(at) !== EQUALS || text.charCodeAt(at + 1) !== SPACE) return undefined;
  at += 2;
  const stop = endOfResult(text, at, end);
  if (stop === at + 1 && text.charCodeAt(at) === QUESTION) {
    const errno = errnoAt(text, stop + 1, end);
    return { type: 'call', tid, name, text, from, to, result: NaN, errno };
  }
  const result = numberBetween(text, at, stop);
  if (Number.isNaN(result)) return undefined;
  const failed = result === -1 && text.charCodeAt(at) === DASH;
  const errno = failed ? (errnoAt(text, stop + 1, end) ?? 'without errno') : undefined;
  return { type: 'call', tid, name, text, from, to, result, errno };
}

/** A result ends at a space, or at the annotation of a descriptor. */
function endOfResult(text: string, at: number, end: number): number {
  for (let i = at; i < end; i += 1) {
    const char = text.charCodeAt(i);
    if (char === SPACE || char === LESS) return i;
  }
  return end;
}

function errnoAt(text: string, at: number, end: number): string | undefined {
  const word = text.slice(at, Math.min(endOfResult(text, at, end), end));
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
