import { numberBetween } from './numbers.js';
import { endOfArgument, indexOfCode, skipAnnotation, skipString } from './scan.js';
import { wordBetween } from './words.js';

const SPACE = 32;
const COMMA = 44;
const LESS = 60;

/** A descriptor, and what strace says it is when it was run with -y. */
export interface Descriptor {
  readonly fd: number;
  readonly annotation: string | undefined;
}

/** Reads the arguments of a call, or the fields of a struct, from left to right. */
export class ArgumentReader {
  readonly #text: string;
  readonly #end: number;
  #at: number;

  constructor({ text, from, to }: { readonly text: string; readonly from: number; readonly to: number }) {
    this.#text = text;
    this.#at = from;
    this.#end = to;
  }

  /** The next argument as written; undefined behind the last one. */
  next(): string | undefined {
    const from = this.#at;
    const end = this.#step();
    return from < this.#end ? wordBetween(this.#text, from, end) : undefined;
  }

  skip(): void {
    this.#step();
  }

  /** The next argument as a number, NULL as 0; NaN when it is none, or none that is exact. */
  number(): number {
    const from = this.#at;
    // A number holds nothing that nests: most end at the next comma.
    const comma = indexOfCode(this.#text, COMMA, from, this.#end);
    const end = this.#pass(comma < 0 ? this.#end : comma);
    if (end - from === 4 && this.#text.startsWith('NULL', from)) return 0;
    return numberBetween(this.#text, from, end);
  }

  descriptor(): Descriptor {
    const from = this.#at;
    const end = this.#step();
    const open = indexOfCode(this.#text, LESS, from, end);
    if (open < 0) {
      return { fd: numberBetween(this.#text, from, end), annotation: undefined };
    }
    const close = skipAnnotation(this.#text, open, end);
    const annotation = this.#text.slice(open + 1, close - 1);
    return { fd: numberBetween(this.#text, from, open), annotation };
  }

  /** A string as strace wrote it, without the quotes; undefined for a bare pointer. */
  string(): string | undefined {
    const from = this.#at;
    const end = this.#step();
    if (this.#text[from] !== '"') return undefined;
    return this.#text.slice(from + 1, skipString(this.#text, from, end) - 1);
  }

  #step(): number {
    return this.#pass(endOfArgument(this.#text, this.#at, this.#end));
  }

  #pass(end: number): number {
    this.#at = end + 1;
    while (this.#text.charCodeAt(this.#at) === SPACE) this.#at += 1;
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
  const reader = new ArgumentReader({ text, from: 1, to: close < 0 ? text.length : close });
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    const equals = field.indexOf('=');
    if (equals > 0) fields.set(field.slice(0, equals), field.slice(equals + 1));
  }
  return fields;
}
