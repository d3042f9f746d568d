import { once } from 'node:events';
import { RowFile } from './row-file.js';

const BUFFERED = 1 << 16;

/** A file, or standard output, which may be slower than we are. */
export class Output {
  readonly #file: RowFile | undefined;
  #buffered = '';

  /** @param input what is being read: it is never written over. */
  constructor(path: string | undefined, input: string) {
    this.#file = path === undefined ? undefined : new RowFile(path, input);
  }

  /** @throws OutputError */
  async write(text: string): Promise<void> {
    if (this.#file !== undefined) {
      this.#file.text(text);
      return;
    }
    this.#buffered += text;
    if (this.#buffered.length >= BUFFERED) await this.#flush();
  }

  /** @throws OutputError */
  async end(): Promise<void> {
    if (this.#file !== undefined) this.#file.close();
    else await this.#flush();
  }

  async #flush(): Promise<void> {
    const text = this.#buffered;
    this.#buffered = '';
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  }
}
