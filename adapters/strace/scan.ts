const SPACE = 32;
const QUOTE = 34;
const OPEN_PAREN = 40;
const CLOSE_PAREN = 41;
const COMMA = 44;
const DASH = 45;
const SLASH = 47;
const LESS = 60;
const EQUALS = 61;
const GREATER = 62;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

// One look says of most characters that they are none of those above.
const STRUCTURE = new Uint8Array(256);
for (const char of '"(),<[]{}') STRUCTURE[char.charCodeAt(0)] = 1;

// Everything here works on a stretch of a chunk of input as it was read: with lines decoded and cut
// out as strings, reading their characters costs several times as much.

/** The byte at an index that lies inside. */
export function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

/** Whether the word, ASCII, stands at `at`. */
export function standsAt(bytes: Uint8Array, word: string, at: number, end: number): boolean {
  if (at < 0 || at + word.length > end) return false;
  for (let i = 0; i < word.length; i += 1) {
    if (bytes[at + i] !== word.charCodeAt(i)) return false;
  }
  return true;
}

/** latin1: strace escapes what is not ASCII, and a stray byte must not cost anything. */
export function textOf(bytes: Buffer, from = 0, end = bytes.length): string {
  return bytes.toString('latin1', from, end);
}

export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** The index of a character in [from, end), or -1: indexOf would look through the whole chunk. */
export function indexOfCode(bytes: Uint8Array, code: number, from: number, end: number): number {
  for (let i = from; i < end; i += 1) if (byteAt(bytes, i) === code) return i;
  return -1;
}

/** The index behind the string literal that opens at `at`, or `end` if it does not end before. */
export function skipString(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i += 1) {
    const char = byteAt(bytes, i);
    if (char === BACKSLASH) i += 1;
    else if (char === QUOTE) return i + 1;
  }
  return end;
}

/**
 * Whether the `<` at `at` opens a descriptor's annotation, `8</memfd:ram>` or `AT_FDCWD</tmp>`;
 * otherwise it is a shift (`21<<MFD_HUGE_SHIFT`) or one of strace's own remarks.
 */
function opensAnnotation(bytes: Uint8Array, at: number): boolean {
  const before = byteAt(bytes, at - 1);
  const digitOrD = (before >= 48 && before <= 57) || before === 68;
  return digitOrD && byteAt(bytes, at + 1) !== LESS;
}

/**
 * The index behind the annotation that opens at `at`. strace escapes `<` and `>` in paths; sockets
 * hold arrows and strings (`<TCP:[a:1->b:2]>`), devices a second pair (`</dev/null<char 1:3>>`).
 */
export function skipAnnotation(bytes: Uint8Array, at: number, end: number): number {
  const path = byteAt(bytes, at + 1) === SLASH;
  let depth = 1;
  let i = at + 1;
  while (i < end) {
    const char = byteAt(bytes, i);
    if (char === QUOTE && !path) {
      i = skipString(bytes, i, end);
      continue;
    }
    if (char === LESS) depth += 1;
    else if (char === GREATER && (path || byteAt(bytes, i - 1) !== DASH)) depth -= 1;
    i += 1;
    if (depth === 0) return i;
  }
  return end;
}

/**
 * Knows where the next quote of one chunk is. Asked from left to right that costs next to nothing,
 * and most lines have none: their end can be read backwards.
 */
export class NextQuote {
  #bytes: Uint8Array | undefined;
  #from = 0;
  #quote = -1;

  isIn(bytes: Uint8Array, from: number, end: number): boolean {
    if (bytes !== this.#bytes || from < this.#from) this.#quote = -1;
    this.#bytes = bytes;
    this.#from = from;
    if (this.#quote < from) {
      const found = bytes.indexOf(QUOTE, from);
      this.#quote = found < 0 ? Infinity : found;
    }
    return this.#quote < end;
  }
}

/** The index of the parenthesis in front of the last ` = ` of [from, end), or -1. */
export function lastParenthesis(bytes: Uint8Array, from: number, end: number): number {
  let i = end - 2;
  while (i > from && (byteAt(bytes, i) !== EQUALS || byteAt(bytes, i - 1) !== SPACE)) i -= 1;
  i -= 1;
  while (i > from && byteAt(bytes, i) === SPACE) i -= 1;
  return i >= from && byteAt(bytes, i) === CLOSE_PAREN ? i : -1;
}

/** The index of the parenthesis that closes the argument list begun before `from`, or -1. */
export function closingParenthesis(bytes: Uint8Array, from: number, end: number): number {
  let depth = 0;
  let i = from;
  while (i < end) {
    const char = byteAt(bytes, i);
    if (STRUCTURE[char] !== 1) {
      i += 1;
    } else if (char === QUOTE) {
      i = skipString(bytes, i, end);
    } else if (char === LESS && opensAnnotation(bytes, i)) {
      i = skipAnnotation(bytes, i, end);
    } else {
      if (char === OPEN_PAREN) depth += 1;
      else if (char === CLOSE_PAREN) {
        if (depth === 0) return i;
        depth -= 1;
      }
      i += 1;
    }
  }
  return -1;
}

/** The index of the comma that ends the argument or field at `from`, or `end`. */
export function endOfArgument(bytes: Uint8Array, from: number, end: number): number {
  let depth = 0;
  let i = from;
  while (i < end) {
    const char = byteAt(bytes, i);
    if (STRUCTURE[char] !== 1) {
      i += 1;
    } else if (char === QUOTE) {
      i = skipString(bytes, i, end);
    } else if (char === LESS && opensAnnotation(bytes, i)) {
      i = skipAnnotation(bytes, i, end);
    } else {
      if (char === OPEN_PAREN || char === OPEN_BRACKET || char === OPEN_BRACE) depth += 1;
      else if (char === CLOSE_PAREN || char === CLOSE_BRACKET || char === CLOSE_BRACE) depth -= 1;
      else if (char === COMMA && depth === 0) return i;
      i += 1;
    }
  }
  return end;
}
