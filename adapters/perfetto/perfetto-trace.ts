import type { JournalEvent, MemfileState, Recorded } from '../../core/index.js';
import { PageCounts } from './page-counts.js';

/** One event of the Chrome JSON trace format, as far as it is written here. */
export interface TraceEvent {
  readonly ph: 'M' | 'X' | 'b' | 'e' | 's' | 'f' | 'C' | 'i';
  readonly name: string;
  /** A file, as a process. */
  readonly pid: number;
  /** Its operations are thread 0, its consumers have the number of their registration. */
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly id?: string;
  readonly bp?: 'e';
  readonly s?: 't';
  readonly args?: object;
}

type EventOf<Type extends JournalEvent['type']> = Extract<JournalEvent, { readonly type: Type }>;

/** An operation's step, or a consumer's callback, is drawn this long: they have no length. */
const STEP_US = 0.8;

/**
 * A journal as a trace that opens in Perfetto: an async slice for every range that is being changed
 * and for every consumer at work, counters of the pages of every file, and flows from each
 * operation to the consumers that it tells. Time is that of the journal where it has any, else a
 * microsecond an event.
 */
export class PerfettoTrace {
  readonly #counts: PageCounts;
  /** What has begun, by its id: the name and thread that it ends with. */
  readonly #open = new Map<string, Pick<TraceEvent, 'name' | 'cat' | 'pid' | 'tid' | 'id'>>();
  #ts = 0;
  /** Milliseconds on the clock of the journal at its first and its present event. */
  #began: number | undefined;
  #ms = 0;
  #flows = 0;

  /** @param before the state before the first event, if that has position > 1. */
  constructor(before?: MemfileState) {
    this.#counts = new PageCounts(before);
  }

  *next(event: Recorded): Iterable<TraceEvent> {
    if (event.type === 'time') {
      this.#began ??= event.ms;
      this.#ms = event.ms;
    }
    // Later than what goes before, also where the clock stood still.
    const us = this.#began === undefined ? event.position : (this.#ms - this.#began) * 1000;
    this.#ts = Math.max(this.#ts + 1, Math.round(us));
    yield* this.#trace(event);
    const counts = this.#counts.after(event);
    if (counts === undefined) return;
    const { file: pid, ...args } = counts;
    yield { ph: 'C', name: 'pages', pid, tid: 0, ts: this.#ts, args };
  }

  /** Nothing follows: what is open ends here. */
  *end(): Iterable<TraceEvent> {
    for (const slice of this.#open.values()) {
      yield { ...slice, ph: 'e', ts: this.#ts + 1, args: { open: true } };
    }
    this.#open.clear();
  }

  *#trace(event: Recorded): Iterable<TraceEvent> {
    switch (event.type) {
      case 'createFile':
        yield this.#label('process_name', event.file, 0, `file ${event.file} "${event.name}"`);
        yield this.#label('thread_name', event.file, 0, 'operations');
        break;
      case 'register':
        yield this.#label('thread_name', event.file, event.registration, event.name);
        yield this.#instant(event, event.registration);
        break;
      case 'prepare':
      case 'invalidate':
        yield this.#step(event);
        yield* this.#begin(`operation ${event.operation} ${event.start}`, event, 0, 'operation');
        break;
      case 'fallocate':
        yield this.#step(event);
        yield* this.#over(`operation ${event.operation} ${event.start}`, event);
        break;
      case 'rollback':
      case 'invalidateEnd':
        yield this.#step(event);
        yield* this.#over(`operation ${event.operation} ${event.start}`);
        break;
      case 'delivery':
        yield* this.#delivery(event);
        break;
      case 'answer': {
        const id = `answer ${event.registration} ${event.operation} ${event.callback}`;
        if (event.outcome === 'waits')
          yield* this.#begin(id, event, event.registration, 'consumer');
        else yield* this.#over(id);
        break;
      }
      case 'failure':
      case 'left':
      case 'unregister':
      case 'evict':
      case 'grace':
        yield this.#instant(event, event.registration);
        break;
      case 'resize':
      case 'seal':
      case 'close':
      case 'kept':
      case 'quarantine':
        yield this.#instant(event, 0);
        break;
      default:
    }
  }

  #label(name: string, pid: number, tid: number, label: string): TraceEvent {
    return { ph: 'M', name, pid, tid, ts: this.#ts, args: { name: label } };
  }

  #instant(event: Recorded & { readonly file: number }, tid: number): TraceEvent {
    return { ph: 'i', s: 't', name: event.type, pid: event.file, tid, ts: this.#ts, args: event };
  }

  /** A step of an operation, for flows to begin at. */
  #step(event: Recorded & { readonly file: number }): TraceEvent {
    const name = nameOf(event);
    return { ph: 'X', name, pid: event.file, tid: 0, ts: this.#ts, dur: STEP_US, args: event };
  }

  *#delivery(event: Recorded<EventOf<'delivery'>>): Iterable<TraceEvent> {
    const { file: pid, registration: tid } = event;
    const flow = { name: 'tells', cat: 'flow', id: `flow ${++this.#flows}`, pid };
    const ts = this.#ts;
    yield { ph: 'X', name: 'tells', pid, tid: 0, ts, dur: STEP_US };
    yield { ...flow, ph: 's', tid: 0, ts };
    yield { ph: 'X', name: nameOf(event), pid, tid, ts, dur: STEP_US, args: event };
    yield { ...flow, ph: 'f', bp: 'e', tid, ts };
  }

  *#begin(
    id: string,
    event: Recorded & { readonly file: number },
    tid: number,
    cat: string,
  ): Iterable<TraceEvent> {
    // The id has to be one of a kind in the whole trace, and a recording may have several lives.
    yield* this.#over(id);
    const slice = { name: nameOf(event), cat, pid: event.file, tid, id: `${id} ${event.position}` };
    this.#open.set(id, slice);
    yield { ...slice, ph: 'b', ts: this.#ts, args: event };
  }

  /** Ends what has begun; `instead` is a whole slice of its own when nothing has. */
  *#over(id: string, instead?: Recorded & { readonly file: number }): Iterable<TraceEvent> {
    if (instead !== undefined && !this.#open.has(id)) {
      yield* this.#begin(id, instead, 0, 'operation');
    }
    const slice = this.#open.get(id);
    if (slice === undefined) return;
    this.#open.delete(id);
    yield { ...slice, ph: 'e', ts: this.#ts };
  }
}

function nameOf(event: Recorded): string {
  const what = 'callback' in event ? event.callback : event.type;
  const pages = 'start' in event ? ` [${event.start}, ${event.end})` : '';
  return `${what}${pages}${'reason' in event ? `, ${event.reason}` : ''}`;
}
