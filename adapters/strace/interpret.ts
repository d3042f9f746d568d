import type { TraceAction } from './actions.js';
import { CallJoiner } from './calls.js';
import { DESCRIPTOR_CALLS } from './descriptor-calls.js';
import { FILE_CALLS } from './file-calls.js';
import { KVM_CALLS } from './kvm-calls.js';
import { MEMORY_CALLS } from './memory-calls.js';
import { MemoryFiles } from './memory-files.js';
import { parseLine, type Call } from './parse-line.js';
import { PROCESS_CALLS, makesChild, sharingOf } from './process-calls.js';
import { Processes, type Task } from './processes.js';
import { textOf } from './scan.js';
import { count, type TraceSummary } from './summary.js';
import { Vms } from './vms.js';
import { phrase } from './words.js';
import type { Handler, World } from './world.js';

const HANDLERS: ReadonlyMap<string, Handler> = new Map(
  [FILE_CALLS, DESCRIPTOR_CALLS, MEMORY_CALLS, KVM_CALLS, PROCESS_CALLS].flatMap((calls) =>
    Object.entries(calls),
  ),
);

/** Turns lines into actions, and keeps what later lines need to be understood. */
export class Interpreter implements World {
  readonly summary: TraceSummary;
  readonly files: MemoryFiles;
  readonly vms: Vms;
  readonly processes: Processes;
  /** A line was read that only strace writes. */
  sawStrace = false;
  /** An action since the last `take` changed or read an address space. */
  stepped = false;
  readonly #joiner = new CallJoiner();
  /** Children that spoke before their parent's clone call returned, by parent. */
  readonly #early = new Map<number, number>();
  #actions: TraceAction[] = [];
  #mappings = 0;
  #spaces = 0;

  constructor(summary: TraceSummary) {
    this.summary = summary;
    this.files = new MemoryFiles((action) => this.emit(action));
    this.vms = new Vms((action) => this.emit(action));
    this.processes = new Processes(this);
  }

  /** Takes the line at [start, end), without its line end. */
  line(bytes: Buffer, start: number, end: number): void {
    const parsed = parseLine(bytes, start, end);
    if (!parsed) {
      if (textOf(bytes, start, end).trim() !== '') this.summary.unparsedLines += 1;
      return;
    }
    if (parsed.type === 'remark') return;
    this.sawStrace = true;
    const task = this.processes.find(parsed.tid) ?? this.#introduce(parsed.tid);
    const joined = this.#joiner.join(parsed);
    this.summary.neverResumed = this.#joiner.neverResumed;
    if (joined.type === 'call') this.#apply(joined, task);
    else if (joined.type === 'exit') this.processes.exit(joined.tid);
    else if (joined.type === 'unparsed') this.summary.unparsedLines += 1;
  }

  /** Nothing follows: processes go, and with them what they held. */
  end(): void {
    this.#joiner.end();
    this.summary.neverResumed = this.#joiner.neverResumed;
    this.vms.end();
    this.processes.end();
  }

  take(): readonly TraceAction[] {
    const taken = this.#actions;
    this.#actions = [];
    this.stepped = false;
    return taken;
  }

  emit(action: TraceAction): void {
    this.#actions.push(action);
    if (action.type === 'map' || action.type === 'unmap' || action.type === 'memslot') {
      this.stepped = true;
    }
  }

  nextMapping(): number {
    this.#mappings += 1;
    return this.#mappings;
  }

  nextSpace(): number {
    this.#spaces += 1;
    return this.#spaces;
  }

  /** A thread's first line: it is the child of a clone call that waits, or nobody told of it. */
  #introduce(tid: number): Task {
    for (const [parent, begun] of this.#joiner.begun()) {
      const sharing = sharingOf(begun.name, () => begun.args);
      if (!sharing || this.#early.has(parent)) continue;
      this.#early.set(parent, tid);
      this.processes.clone(this.processes.task(parent), tid, sharing);
      break;
    }
    return this.processes.task(tid);
  }

  #apply(call: Call, task: Task): void {
    this.summary.calls += 1;
    if (this.#early.size > 0 && makesChild(call.name)) this.#early.delete(call.tid);
    if (call.result === -1 && call.errno !== undefined) {
      count(this.summary.failedCalls, phrase(call.name, call.errno));
      return;
    }
    const unknown = this.#understand(call, task);
    if (unknown !== undefined) count(this.summary.unknownCalls, unknown);
  }

  #understand(call: Call, task: Task): string | undefined {
    const handler = HANDLERS.get(call.name);
    if (!handler) return call.name;
    const ended = call.name === 'exit' || call.name === 'exit_group';
    // `= ?`: interrupted, to be restarted, or cut off by the thread's end.
    if (Number.isNaN(call.result) && !ended) return phrase(call.name, call.errno ?? '?');
    return handler(call, task, this);
  }
}
