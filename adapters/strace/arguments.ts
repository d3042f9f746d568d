import { endOfNumber, numberBetween } from './numbers.js';
import type { Call } from './parse-line.js';
import {
  bytesOf,
  endOfArgument,
  indexOfCode,
  skipAnnotation,
  skipString,
  standsAt,
  textOf,
} from './scan.js';
import { wordBetween } from './words.js';

const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const LESS = 60;

/** A descriptor, and what strace says it is when it was run with -y. */
export interface Descriptor {
  readonly fd: number;
  readonly annotation: string | undefined;
}

/** Reads the arguments of a call, or the fields of a struct, from left to right. */
export class ArgumentReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor({ bytes, from, to }: Pick<Call, 'bytes' | 'from' | 'to'>) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  /** The next argument as written; undefined behind the last one. */
  next(): string | undefined {
    const from = this.#at;
    const end = this.#step();
    return from < this.#end ? wordBetween(this.#bytes, from, end) : undefined;
  }

  skip(): void {
    this.#step();
  }

  /** The next argument as a number, NULL as 0; NaN when it is none, or none that is exact. */
  number(): number {
    const from = this.#at;
    const digits = endOfNumber(this.#bytes, from, this.#end);
    // Mostly it is one, and where it ends the argument does.
    if (digits > from && this.#endsAt(digits)) {
      this.#pass(digits);
      return numberBetween(this.#bytes, from, digits);
    }
    const end = this.#step();
    if (end - from === 4 && standsAt(this.#bytes, 'NULL', from, end)) return 0;
    return numberBetween(this.#bytes, from, end);
  }

  descriptor(): Descriptor {
    const from = this.#at;
    const digits = endOfNumber(this.#bytes, from, this.#end);
    if (digits > from && this.#endsAt(digits)) {
      this.#pass(digits);
      return { fd: numberBetween(this.#bytes, from, digits), annotation: undefined };
    }
    const end = this.#step();
    const open = indexOfCode(this.#bytes, LESS, from, end);
    if (open < 0) {
      return { fd: numberBetween(this.#bytes, from, end), annotation: undefined };
    }
    const close = skipAnnotation(this.#bytes, open, end);
    const annotation = wordBetween(this.#bytes, open + 1, close - 1);
    return { fd: numberBetween(this.#bytes, from, open), annotation };
  }

  /** A string as strace wrote it, without the quotes; undefined for a bare pointer. */
  string(): string | undefined {
    const from = this.#at;
    const end = this.#step();
    if (this.#bytes[from] !== QUOTE) return undefined;
    return textOf(this.#bytes, from + 1, skipString(this.#bytes, from, end) - 1);
  }

  #endsAt(at: number): boolean {
    return at === this.#end || this.#bytes[at] === COMMA;
  }

  #step(): number {
    return this.#pass(endOfArgument(this.#bytes, this.#at, this.#end));
  }

  #pass(end: number): number {
    this.#at = end + 1;
    while (this.#at < this.#end && this.#bytes[this.#at] === SPACE) this.#at += 1;
    return end;
  }
}

/** The names of a flag set; `0` is the empty set. */
export function parseFlags(text: string | undefined): string[] {
  return text === undefined || text === '0' || text === '' ? [] : text.split('|');
}

/** The fields of `{slot=0, flags=KVM_MEM_READONLY, ...}`; what the kernel answered, behind ` => `, is left out. */
export function parseStruct(text: string | undefined): Map<string, string> {
  const fields = new Map<string, string>();
  if (text === undefined || text[0] !== '{') return fields;
  const answer = text.indexOf('} => ');
  const close = answer < 0 ? text.lastIndexOf('}') : answer;
  const reader = new ArgumentReader({
    bytes: bytesOf(text),
    from: 1,
    to: close < 0 ? text.length : close,
  });
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    const equals = field.indexOf('=');
    if (equals > 0) fields.set(field.slice(0, equals), field.slice(equals + 1));
  }
  return fields;
}
