const LIMIT = 1024 * 1024;
const NEWLINE = 10;

/**
 * Cuts bytes into texts of whole lines, each with its line end. A line over 1 MiB is cut there and
 * the rest of it left out.
 */
export class LineSplitter {
  /** What stands behind the last line end. */
  #rest: Buffer[] = [];
  #restLength = 0;
  #skipping = false;

  /** The lines the chunk completes, as one text: latin1, for strace escapes what is not ASCII. */
  push(chunk: Buffer): string {
    let fresh = chunk;
    if (this.#skipping) {
      const end = fresh.indexOf(NEWLINE);
      if (end < 0) return '';
      this.#skipping = false;
      fresh = fresh.subarray(end + 1);
    }
    const whole = fresh.lastIndexOf(NEWLINE) + 1;
    let text = '';
    if (whole > 0) {
      // One decode for all of it: reading a text that was pieced together is several times slower.
      const lines = fresh.subarray(0, whole);
      text = Buffer.concat([...this.#rest, lines]).toString('latin1');
      this.#rest = [];
      this.#restLength = 0;
    }
    return text + this.#keep(fresh.subarray(whole));
  }

  /** The last line when it has no line end. */
  end(): string {
    return Buffer.concat(this.#rest).toString('latin1');
  }

  /** Keeps the beginning of a line, or gives it as a line when it is too long to be kept. */
  #keep(part: Buffer): string {
    if (part.length === 0) return '';
    // The chunk's memory is used again for the next one.
    this.#rest.push(Buffer.from(part));
    this.#restLength += part.length;
    if (this.#restLength <= LIMIT) return '';
    const cut = Buffer.concat(this.#rest).toString('latin1', 0, LIMIT);
    this.#rest = [];
    this.#restLength = 0;
    this.#skipping = true;
    return `${cut}\n`;
  }
}
