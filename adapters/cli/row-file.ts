import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';

const BUFFERED = 1 << 16;

/** A file cannot be written, or must not be. */
export class OutputError extends Error {}

/** A file of JSON lines; it is opened when the first line, or its end, is written. */
export class RowFile {
  readonly #path: string;
  readonly #input: string;
  #descriptor: number | undefined;
  #buffered = '';

  /** @param input what is being read: it is never written over. */
  constructor(path: string, input: string) {
    this.#path = path;
    this.#input = input;
  }

  /** @throws OutputError */
  write(row: object): void {
    this.text(`${JSON.stringify(row)}\n`);
  }

  /** @throws OutputError */
  text(text: string): void {
    this.#buffered += text;
    if (this.#descriptor === undefined || this.#buffered.length >= BUFFERED) this.#flush();
  }

  /** @throws OutputError */
  close(): void {
    this.#flush();
    closeSync(this.#descriptor!);
  }

  #flush(): void {
    try {
      this.#descriptor ??= this.#open();
      const bytes = Buffer.from(this.#buffered);
      this.#buffered = '';
      for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      if (error instanceof OutputError) throw error;
      throw new OutputError(`cannot write ${this.#path}: ${(error as Error).message}`);
    }
  }

  #open(): number {
    const descriptor = openSync(this.#path, 'a');
    const output = fstatSync(descriptor);
    const input = statSync(this.#input);
    if (output.ino === input.ino && output.dev === input.dev) {
      closeSync(descriptor);
      throw new OutputError(`${this.#path} is the input itself; name another file`);
    }
    closeSync(descriptor);
    return openSync(this.#path, 'w');
  }
}
