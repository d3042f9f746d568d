import type { TraceAction } from './actions.js';
import { ByteSource } from './byte-source.js';
import { Interpreter } from './interpret.js';
import { LineSplitter } from './line-splitter.js';
import { parseLine } from './parse-line.js';
import { printable } from './printable.js';
import { textOf } from './scan.js';
import { emptySummary, type TraceSummary } from './summary.js';
import { TraceError } from './trace-error.js';

/** A log being read: batches of actions, and what was counted so far. It is read once. */
export interface Trace extends AsyncIterable<readonly TraceAction[]> {
  readonly summary: Readonly<TraceSummary>;
}

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

// A log has shown a call by then; a file that has not is something else.
const PATIENCE_LINES = 1000;
const PATIENCE_BYTES = 1024 * 1024;

/** Reads a strace log, plain or gzip. Nothing happens before the iteration begins. */
export function readTrace(path: string): Trace {
  return new StraceLog(path);
}

class StraceLog implements Trace {
  readonly summary: TraceSummary = emptySummary();
  readonly #path: string;
  readonly #interpreter = new Interpreter(this.summary);
  #begun = false;
  #firstLine = '';
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  [Symbol.asyncIterator](): AsyncIterator<readonly TraceAction[]> {
    if (this.#begun) throw new Error('this trace has been read: call readTrace again');
    this.#begun = true;
    return this.#batches();
  }

  async *#batches(): AsyncGenerator<readonly TraceAction[], void, void> {
    const interpreter = this.#interpreter;
    const source = new ByteSource(this.#path);
    const splitter = new LineSplitter();
    for await (const lines of this.#pieces(source, splitter)) {
      for (let at = 0; at < lines.length;) {
        at = this.#advance(lines, at);
        const batch = interpreter.take();
        if (batch.length > 0) yield batch;
      }
    }
    this.#end(splitter.end(), source.truncated);
    const batch = interpreter.take();
    if (batch.length > 0) yield batch;
  }

  async *#pieces(source: ByteSource, splitter: LineSplitter): AsyncGenerator<Buffer, void, void> {
    try {
      for await (const chunk of source.chunks()) {
        this.summary.bytesRead = source.bytesRead;
        this.summary.bytesTotal = source.bytesTotal;
        this.#bytes += chunk.length;
        yield splitter.push(chunk);
        this.#mustBeStrace(this.#bytes >= PATIENCE_BYTES);
      }
    } catch (error) {
      if (error instanceof TraceError) throw error;
      const { lines } = this.summary;
      const cause = error instanceof Error ? error.message : String(error);
      const where = `${printable(this.#path)}: the gzip stream is corrupt after line ${lines}`;
      throw new TraceError('CORRUPT', `${where} (${cause})`);
    }
  }

  /**
   * Takes lines from `from` on, and stops behind one that changed or read an address space: those
   * are live objects, and a batch must not run ahead of them.
   */
  #advance(lines: Buffer, from: number): number {
    let start = from;
    while (start < lines.length) {
      const end = lines.indexOf(NEWLINE, start);
      this.#line(lines, start, end);
      start = end + 1;
      if (this.#interpreter.stepped) break;
    }
    return start;
  }

  #line(bytes: Buffer, start: number, end: number): void {
    this.#countLine(bytes, start, end);
    const carriageReturn = end > start && bytes[end - 1] === CARRIAGE_RETURN;
    this.#interpreter.line(bytes, start, carriageReturn ? end - 1 : end);
    if (this.summary.lines === PATIENCE_LINES) this.#mustBeStrace(true);
  }

  #countLine(bytes: Buffer, start: number, end: number): void {
    this.summary.lines += 1;
    if (this.#firstLine !== '') return;
    this.#firstLine = textOf(bytes, start, Math.min(end, start + 200)).trim();
  }

  #end(rest: Buffer, truncated: boolean): void {
    this.summary.truncated = truncated || rest.length > 0;
    if (rest.length > 0) this.#lastLine(rest);
    if (this.#firstLine === '') {
      const cut = truncated ? ': its gzip stream is cut short' : '';
      throw new TraceError('EMPTY', `${printable(this.#path)} has no lines${cut}`);
    }
    this.#mustBeStrace(true);
    this.#interpreter.end();
  }

  /** A line without its end counts when it is whole as it stands; cut ones are no parse error. */
  #lastLine(rest: Buffer): void {
    const parsed = parseLine(rest, 0, rest.length);
    const cutErrno =
      parsed?.type === 'call' && parsed.errno !== undefined && !/[)>]$/.test(textOf(rest));
    if (parsed && !cutErrno) this.#line(rest, 0, rest.length);
    else this.#countLine(rest, 0, rest.length);
  }

  #mustBeStrace(now: boolean): void {
    if (!now || this.#interpreter.sawStrace) return;
    const first = printable(this.#firstLine, 60);
    const path = printable(this.#path);
    throw new TraceError('NOT_STRACE', `${path} is no strace log; its first line reads: ${first}`);
  }
}
