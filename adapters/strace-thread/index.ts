import { Worker } from 'node:worker_threads';
import type { Trace, TraceAction, TraceSummary } from '../strace/index.js';
import { emptySummary } from '../strace/summary.js';
import { TraceError } from '../strace/trace-error.js';
import type { Message } from './messages.js';
import { MirroredSpaces } from './mirrored-spaces.js';
import { unpackActions } from './unpack-actions.js';

/** Reads a strace log as `readTrace`, in a thread of its own, which begins at once. */
export function readTraceAside(path: string): Trace {
  return new TraceAside(path);
}

class TraceAside implements Trace {
  summary: TraceSummary = emptySummary();
  readonly #worker: Worker;
  readonly #messages: Message[] = [];
  #failure: { readonly error: unknown } | undefined;
  #wake = (): void => {};

  constructor(path: string) {
    this.#worker = new Worker(new URL('./thread.js', import.meta.url), { workerData: path });
    this.#worker.on('message', (message: Message) => {
      this.#messages.push(message);
      this.#wake();
    });
    this.#worker.on('error', (error) => {
      this.#failure = { error };
      this.#wake();
    });
    // What it said before is read first.
    this.#worker.on('exit', () => {
      this.#failure ??= { error: new Error('the thread that reads the trace is gone') };
      this.#wake();
    });
    // Whoever does not read it after all can end; this comes last, as listeners undo it.
    this.#worker.unref();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly TraceAction[], void, void> {
    const spaces = new MirroredSpaces();
    this.#worker.ref();
    try {
      for (;;) {
        const message = await this.#next();
        switch (message.type) {
          case 'actions': {
            const { actions, lines, bytesRead, bytesTotal } = message;
            Object.assign(this.summary, { lines, bytesRead, bytesTotal });
            yield* unpackActions(actions, spaces);
            this.#worker.postMessage('done', []);
            break;
          }
          case 'end':
            this.summary = message.summary;
            return;
          case 'failed':
            throw new TraceError(message.code, message.message);
        }
      }
    } finally {
      await this.#worker.terminate();
    }
  }

  async #next(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#failure !== undefined) throw this.#failure.error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
