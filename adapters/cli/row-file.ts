import { closeSync, openSync, writeSync } from 'node:fs';

const BUFFERED = 1 << 16;

/** A file of JSON lines. */
export class RowFile {
  readonly #descriptor: number;
  #buffered = '';

  /** Throws the error of the system when the file cannot be written. */
  constructor(path: string) {
    this.#descriptor = openSync(path, 'w');
  }

  write(row: object): void {
    this.#buffered += `${JSON.stringify(row)}\n`;
    if (this.#buffered.length >= BUFFERED) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#descriptor);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#buffered);
    this.#buffered = '';
    for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
  }
}
