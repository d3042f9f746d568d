import {
  createMemfile,
  formatStall,
  MemfileError,
  type ErrnoCode,
  type Journal,
  type Memfile,
  type RecordLevel,
} from '../../core/index.js';
import { hugetlb } from '../../plugins/hugetlb/index.js';
import { shmem } from '../../plugins/shmem/index.js';
import { LawModel, type Violation } from '../../test/model/index.js';
import type { EventRow } from '../journal-log/index.js';
import { SqliteJournal } from '../sqlite/index.js';
import type { Trace, TraceSummary } from '../strace/index.js';
import {
  EventLog,
  PassingJournal,
  TraceDriver,
  type ConsumerReport,
  type DeviceReport,
  type FileReport,
  type Refusals,
} from '../trace-run/index.js';
import type { StoreChoice } from './store-option.js';

export const ASSUMPTION =
  'Stores through mappings leave no line in a trace, so every mapped page is assumed to have been ' +
  'touched again before it was punched: the range is faulted in through its consumers just before.';

/** What the kernel would have answered instead of success. */
const IMPOSSIBLE: ReadonlySet<ErrnoCode> = new Set(['EINVAL', 'EEXIST', 'EFBIG']);

/** What `memfile run` answers, as `--json` prints it. Sizes are bytes. */
export interface RunReport {
  readonly trace: string;
  /** As `--store` names it. */
  readonly store: string;
  readonly lines: number;
  readonly calls: number;
  readonly assumption: string;
  readonly files: readonly FileReport[];
  /** Successful KVM_SET_USER_MEMORY_REGION calls, to set or to delete. */
  readonly memslotSets: number;
  readonly memslots: {
    readonly set: number;
    readonly deleted: number;
    readonly maxLive: number;
  };
  readonly consumers: readonly ConsumerReport[];
  /** What the store had no room for, by code; the run went on without those pages. */
  readonly refused: Readonly<Record<string, Refusals>>;
  /** With `--device`. */
  readonly device?: DeviceReport;
  readonly advice: Readonly<Record<string, { readonly calls: number; readonly bytes: number }>>;
  readonly unknownCalls: number;
  readonly unknownCallsByName: Readonly<Record<string, number>>;
  readonly failedCalls: number;
  readonly failedCallsByName: Readonly<Record<string, number>>;
  readonly untrackedCalls: number;
  readonly unparsedLines: number;
  readonly neverResumed: number;
  readonly truncated: boolean;
  readonly events: number;
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  readonly verdict: string;
}

export interface RunOptions {
  readonly store: StoreChoice;
  /** How many mappings the device may have that is attached to every file; none by default. */
  readonly device?: number | undefined;
  /** Where it is recorded; nothing is kept when there is none. */
  readonly journal?: SqliteJournal | undefined;
  readonly record?: RecordLevel | undefined;
  /** Told the last position that is on disk, whenever there are more. */
  readonly onAcknowledged?: ((position: number) => void) | undefined;
  /** Receives committed events and deliveries in the order told. */
  readonly onEvent?: ((row: EventRow) => void) | undefined;
  /** Called often while the trace is read. */
  readonly onProgress?: ((summary: TraceSummary) => void) | undefined;
  readonly onStall: (line: string) => void;
}

/** Drives a trace through a memfile of its own; rejects with a TraceError when it cannot be read. */
export async function runTrace(
  path: string,
  trace: Trace,
  options: RunOptions,
): Promise<RunReport> {
  const { store, device, onEvent, onProgress, onStall, onAcknowledged } = options;
  const passing = new PassingJournal(onEvent !== undefined);
  const journal = options.journal ?? passing;
  const memfile = createMemfile({
    plugins: [store.name === 'shmem' ? shmem() : hugetlb(store)],
    journal,
    record: options.journal === undefined ? 'state' : options.record,
    stallAfterMs: 5000,
    onStall: (report) => onStall(formatStall(report)),
  });
  const model = new LawModel();
  const everyStore = memfile as unknown as Memfile;
  const log = onEvent === undefined ? undefined : new EventLog(everyStore, onEvent, model);
  const write = (from: Journal = journal): void => {
    log?.flush(from);
    passing.forget();
  };
  const tick = (): void => {
    write();
    onProgress?.(trace.summary);
  };
  const driver = new TraceDriver(everyStore, store.name, log ?? model, tick);
  if (device !== undefined) await driver.addDevice(device);
  let acknowledged = 0;
  const acknowledge = (): void => {
    if (journal.durable === acknowledged) return;
    acknowledged = journal.durable;
    onAcknowledged?.(acknowledged);
  };
  const keeps = log !== undefined || options.journal !== undefined;
  const impossible = new Map<string, number>();
  for await (const actions of trace) {
    for (const action of actions) {
      try {
        const applied = driver.apply(action);
        if (applied !== undefined) await applied;
      } catch (error) {
        // No kernel would have answered this with success: the log is wrong there.
        if (!(error instanceof MemfileError) || !IMPOSSIBLE.has(error.code)) throw error;
        const what = `${action.type} with impossible arguments`;
        impossible.set(what, (impossible.get(what) ?? 0) + 1);
      }
      if (!keeps) continue;
      write();
      acknowledge();
    }
    tick();
  }
  const attached = driver.device();
  await memfile[Symbol.asyncDispose]();
  acknowledge();
  // The journal is closed, and has events of that.
  const written =
    options.journal === undefined ? journal : SqliteJournal.read(options.journal.path);
  write(written);
  const events = written.position;
  await written.close();
  model.finish();
  const unknown = new Map([...trace.summary.unknownCalls, ...impossible]);
  const result = report(path, store, trace.summary, unknown, driver, model, events);
  return attached === undefined ? result : { ...result, device: attached };
}

function report(
  path: string,
  store: StoreChoice,
  summary: TraceSummary,
  unknown: ReadonlyMap<string, number>,
  driver: TraceDriver,
  model: LawModel,
  events: number,
): RunReport {
  const files = driver.files();
  const consumers = driver.consumers();
  const { lines, calls, memslotsSet, memslotsDeleted, truncated } = summary;
  return {
    trace: path,
    store: store.text,
    lines,
    calls,
    assumption: ASSUMPTION,
    files,
    memslotSets: memslotsSet + memslotsDeleted,
    memslots: { set: memslotsSet, deleted: memslotsDeleted, maxLive: driver.maxLiveSlots },
    consumers,
    refused: Object.fromEntries(driver.refused),
    advice: Object.fromEntries(summary.adviceCalls),
    unknownCalls: total(unknown),
    unknownCallsByName: Object.fromEntries(unknown),
    failedCalls: total(summary.failedCalls),
    failedCallsByName: Object.fromEntries(summary.failedCalls),
    untrackedCalls: summary.untracked,
    unparsedLines: summary.unparsedLines,
    neverResumed: summary.neverResumed,
    truncated,
    events,
    violations: model.violations,
    violationCount: model.count,
    verdict: verdict(files, consumers, model),
  };
}

function verdict(
  files: readonly FileReport[],
  consumers: readonly ConsumerReport[],
  model: LawModel,
): string {
  if (model.count > 0) return `${model.count} violations of the laws`;
  const punches = files.reduce((sum, file) => sum + file.punchCalls, 0);
  const told = consumers.reduce((sum, consumer) => sum + consumer.notifications, 0);
  const zapped = consumers.reduce((sum, consumer) => sum + consumer.zappedPages, 0);
  const laws = `the laws hold, by an independent model of ${told} notifications`;
  if (punches === 0) return `${laws}; the trace punches nothing`;
  if (zapped === 0) return `${laws}; no punch zapped anything, so this says little`;
  return laws;
}

function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
