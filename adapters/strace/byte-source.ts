import { open, type FileHandle } from 'node:fs/promises';
import { inflate, isGzip } from './inflate.js';
import { systemTraceError } from './trace-error.js';

const PLAIN_CHUNK = 256 * 1024;
// One compressed byte can become a thousand: small pieces keep what is held at once small.
const GZIP_CHUNK = 16 * 1024;

/** The bytes of a log, inflated when it is compressed, whatever the file is called. */
export class ByteSource {
  bytesRead = 0;
  bytesTotal = 0;
  /** The gzip stream stops before its end. */
  truncated = false;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async *chunks(): AsyncGenerator<Buffer, void, void> {
    const handle = await this.#open();
    try {
      const head = await this.#head(handle);
      if (isGzip(head)) {
        const compressed = this.#read(handle, head, GZIP_CHUNK);
        this.truncated = yield* inflate(compressed);
      } else {
        yield* this.#read(handle, head, PLAIN_CHUNK);
      }
    } finally {
      await handle.close();
    }
  }

  async #open(): Promise<FileHandle> {
    try {
      const handle = await open(this.#path);
      const stat = await handle.stat();
      this.bytesTotal = stat.isFile() ? stat.size : 0;
      return handle;
    } catch (error) {
      throw systemTraceError(this.#path, error);
    }
  }

  /** Enough of the beginning to know gzip; a pipe may deliver byte by byte. */
  async #head(handle: FileHandle): Promise<Buffer> {
    const head = Buffer.alloc(2);
    let length = 0;
    while (length < head.length) {
      const bytes = await this.#fill(handle, head.subarray(length));
      if (bytes === 0) break;
      length += bytes;
    }
    return head.subarray(0, length);
  }

  /**
   * Each chunk is good until the next one is asked for: two buffers take turns, and one is filled
   * while the other is looked at.
   */
  async *#read(handle: FileHandle, head: Buffer, size: number): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    let [current, other] = [Buffer.allocUnsafe(size), Buffer.allocUnsafe(size)];
    let reading = this.#fill(handle, current);
    try {
      for (let bytes = await reading; bytes > 0; bytes = await reading) {
        reading = this.#fill(handle, other);
        // A failure is met at the next turn; until then nobody waits for it.
        reading.catch(() => 0);
        yield current.subarray(0, bytes);
        [current, other] = [other, current];
      }
    } finally {
      // Whoever stops early closes the file, and must not do so under a read.
      await reading.catch(() => 0);
    }
  }

  async #fill(handle: FileHandle, into: Buffer): Promise<number> {
    try {
      const { bytesRead } = await handle.read(into, 0, into.length, null);
      this.bytesRead += bytesRead;
      return bytesRead;
    } catch (error) {
      throw systemTraceError(this.#path, error);
    }
  }
}
