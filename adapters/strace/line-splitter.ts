const LIMIT = 1024 * 1024;
const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);

/** Cuts input into pieces of whole lines. A line over 1 MiB is cut and its rest left out. */
export class LineSplitter {
  /** What stands behind the last line end, in parts. */
  #rest: Buffer[] = [];
  #restLength = 0;
  #skipping = false;

  /** The lines the chunk completes, with their line ends; good as long as the chunk is. */
  push(chunk: Buffer): Buffer {
    let fresh = chunk;
    if (this.#skipping) {
      const end = fresh.indexOf(NEWLINE);
      if (end < 0) return NOTHING;
      this.#skipping = false;
      fresh = fresh.subarray(end + 1);
    }
    const whole = fresh.lastIndexOf(NEWLINE) + 1;
    if (whole === 0) return this.#keep(fresh);
    const lines = fresh.subarray(0, whole);
    const joined = this.#restLength === 0 ? lines : Buffer.concat([...this.#rest, lines]);
    this.#rest = [];
    this.#restLength = 0;
    this.#keep(fresh.subarray(whole));
    return joined;
  }

  /** The last line when it has no line end. */
  end(): Buffer {
    return Buffer.concat(this.#rest);
  }

  /** Keeps the beginning of a line; gives it as a line of its own when it is too long to be kept. */
  #keep(part: Buffer): Buffer {
    // The chunk's memory is used again for the next one.
    if (part.length > 0) this.#rest.push(Buffer.from(part));
    this.#restLength += part.length;
    if (this.#restLength <= LIMIT) return NOTHING;
    const cut = Buffer.concat(this.#rest, LIMIT);
    cut.writeUInt8(NEWLINE, LIMIT - 1);
    this.#rest = [];
    this.#restLength = 0;
    this.#skipping = true;
    return cut;
  }
}
