import { parentPort, workerData } from 'node:worker_threads';
import { readTrace, TraceError } from '../strace/index.js';
import { UNDER_WAY, type Message } from './messages.js';
import { ActionPacker } from './packed-actions.js';

// Reads the trace whose path it is given, and posts what happens in it.

const port = parentPort!;
const trace = readTrace(workerData as string);
const packer = new ActionPacker();
let underWay = 0;
let resume = (): void => {};

port.on('message', () => {
  underWay--;
  resume();
});

function post(message: Message, ...transfer: ArrayBuffer[]): void {
  port.postMessage(message, transfer);
}

/** Called when there is nothing to do but to wait for more input. */
function flush(): void {
  if (packer.empty) return;
  const actions = packer.take();
  const { lines, bytesRead, bytesTotal } = trace.summary;
  underWay++;
  post(
    { type: 'actions', actions, lines, bytesRead, bytesTotal },
    actions.rows.buffer as ArrayBuffer,
  );
}

try {
  for await (const batch of trace) {
    if (packer.empty) setImmediate(flush);
    packer.add(batch);
    if (underWay >= UNDER_WAY) await new Promise<void>((done) => (resume = done));
  }
  flush();
  post({ type: 'end', summary: trace.summary });
} catch (error) {
  if (!(error instanceof TraceError)) throw error;
  flush();
  post({ type: 'failed', code: error.code, message: error.message });
}
port.close();
