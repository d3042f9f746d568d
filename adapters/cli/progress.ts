const QUIET_MS = 1000;
const EVERY_MS = 500;

/** A line on standard error about work that takes longer than a second; `done` removes it. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #describe: () => string;
  readonly #started = performance.now();
  #shown = 0;

  constructor(describe: () => string, stream: NodeJS.WriteStream = process.stderr) {
    this.#describe = describe;
    this.#stream = stream;
  }

  /** Called often; shows something now and then. */
  tick(): void {
    const elapsed = performance.now() - this.#started;
    if (elapsed < QUIET_MS || elapsed - this.#shown < EVERY_MS) return;
    this.#shown = elapsed;
    const line = `${this.#describe()}, ${(elapsed / 1000).toFixed(1)} s`;
    this.#stream.write(this.#stream.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  }

  done(): void {
    if (this.#shown > 0 && this.#stream.isTTY) this.#stream.write('\r\u001b[K');
  }
}
