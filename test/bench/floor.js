/**
 * The whole operation, tuned by hand for one process and nothing else: frames per page in a typed
 * array, rows of 32 bytes, a grid of consumers, a counted reader section, each callback on its own.
 *
 * It does what memfile does: a fallocate hands out frames, writes one row, and tells who is
 * concerned, oldest first; a punch writes a row, tells the newest first, frees the frames, writes
 * the row of the end, and tells the ends oldest first. What it leaves out is what a library needs
 * and one program may not: arguments that may be wrong, order among operations that wait, callbacks
 * that wait or leave, pages that stay, a state that is folded from the rows.
 */
const ROWS = 4096;
const BUCKET = 256;

export class Floor {
  #frames;
  #free = [];
  #next = 1;
  #grid;
  #segments = [];
  #words;
  #doubles;
  #row = ROWS;
  #position = 0;
  #operation = 0;
  #readers = 0;
  failures = 0;

  constructor(pages) {
    this.#frames = new Int32Array(pages);
    this.#grid = Array.from({ length: Math.ceil(pages / BUCKET) }, () => []);
  }

  /** Oldest first in every bucket. */
  register(consumer, { start, end }) {
    const record = { start, end, consumer, ...consumer };
    for (let b = Math.floor(start / BUCKET); b * BUCKET < end; b++) this.#grid[b].push(record);
  }

  fallocate(start, end) {
    const operation = ++this.#operation;
    const frames = this.#frames;
    for (let page = start; page < end;) {
      if (frames[page] !== 0) {
        page++;
        continue;
      }
      const from = page;
      const first = this.#free.length > 0 ? this.#free.pop() : this.#next++;
      frames[page++] = first;
      // As long a run as the frames allow; one row and one event for each.
      if (first === this.#next - 1)
        while (page < end && frames[page] === 0) frames[page++] = this.#next++;
      this.#write(1, 0, operation, from, page, first);
      this.#tell(from, page, 'fallocate', false);
    }
  }

  punchHole(start, end) {
    const operation = ++this.#operation;
    this.#write(2, 2, operation, start, end, 0);
    this.#tell(start, end, 'invalidate', true);
    const frames = this.#frames;
    for (let page = start; page < end; page++) {
      if (frames[page] === 0) continue;
      this.#free.push(frames[page]);
      frames[page] = 0;
    }
    this.#write(3, 2, operation, start, end, 0);
    this.#tell(start, end, 'invalidateEnd', false);
  }

  /** A consumer of several buckets is told in the one where its overlap begins. */
  #tell(start, end, type, newestFirst) {
    const event = { type, position: this.#position };
    this.#readers++;
    const last = Math.floor((end - 1) / BUCKET);
    for (let b = Math.floor(start / BUCKET); b <= last; b++) {
      const bucket = this.#grid[b];
      for (let i = 0; i < bucket.length; i++) {
        const record = bucket[newestFirst ? bucket.length - 1 - i : i];
        const from = Math.max(start, record.start);
        const to = Math.min(end, record.end);
        if (from >= to || Math.floor(from / BUCKET) !== b) continue;
        try {
          if (type === 'invalidate') record.invalidate(from, to, event);
          else if (type === 'invalidateEnd') record.invalidateEnd(from, to, event);
          else record.fallocate(from, to, event);
        } catch {
          this.failures++;
        }
      }
    }
    this.#readers--;
  }

  #write(type, reason, operation, start, end, pfn) {
    if (this.#row === ROWS) {
      const buffer = new ArrayBuffer(ROWS * 32);
      this.#words = new Uint32Array(buffer);
      this.#doubles = new Float64Array(buffer);
      this.#segments.push(buffer);
      this.#row = 0;
    }
    const row = this.#row++;
    this.#words[row * 8] = type | (1 << 8);
    this.#words[row * 8 + 1] = reason;
    this.#words[row * 8 + 2] = operation;
    this.#words[row * 8 + 3] = end - start;
    this.#doubles[row * 4 + 2] = start;
    this.#doubles[row * 4 + 3] = pfn;
    this.#position++;
  }
}
