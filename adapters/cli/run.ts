import { accessSync } from 'node:fs';
import { MemfileError, RECORD_LEVELS, type RecordLevel } from '../../core/index.js';
import { DMA_ENTRY_LIMIT } from '../encrypted-device/index.js';
import { SqliteJournal } from '../sqlite/index.js';
import type { Trace, TraceSummary } from '../strace/index.js';
import { TraceError } from '../strace/trace-error.js';
import { EXIT } from './exit.js';
import { printRun } from './print-run.js';
import { Progress } from './progress.js';
import { OutputError, RowFile } from './row-file.js';
import { runTrace } from './run-trace.js';
import type { StoreChoice } from './store-option.js';

/** So many events may wait for the disk while the run goes on. */
const LAG = 1024;

export interface RunFlags {
  readonly json?: true;
  readonly events?: string;
  readonly store: StoreChoice;
  readonly device?: true;
  /** How many mappings the device may have; there is one when this is said. */
  readonly budget?: number;
  readonly journal?: string;
  readonly record: string;
  readonly progress?: string;
}

/** Runs a trace and reports on it; answers the exit status. */
export async function run(path: string, trace: Trace, flags: RunFlags): Promise<number> {
  const { json, events, store, device, budget = device && DMA_ENTRY_LIMIT } = flags;
  let journal: SqliteJournal | undefined;
  let rows: RowFile | undefined;
  let summary: TraceSummary | undefined;
  const progress = new Progress(() => {
    const { lines, bytesRead, bytesTotal } = summary!;
    return `${lines} lines, ${Math.floor((100 * bytesRead) / Math.max(1, bytesTotal))} %`;
  });
  try {
    if (events !== undefined) rows = new RowFile(events, path);
    const record = levelOf(flags);
    if (flags.journal !== undefined) {
      checkReadable(path); // No journal is begun for nothing.
      journal = SqliteJournal.open(flags.journal, { lag: LAG });
    }
    const report = await runTrace(path, trace, {
      store,
      device: budget,
      journal,
      record,
      onAcknowledged:
        flags.progress === undefined
          ? undefined
          : (acknowledged) => process.stderr.write(`${JSON.stringify({ acknowledged })}\n`),
      onEvent: rows && ((row) => rows!.write(row)),
      onStall: (line) => process.stderr.write(`memfile: ${line}\n`),
      onProgress(now) {
        summary = now;
        if (flags.progress === undefined) progress.tick();
      },
    });
    rows?.close();
    progress.done();
    if (report.truncated) {
      process.stderr.write(
        `memfile: warning: ${path} is cut short; this is its result up to there\n`,
      );
    }
    process.stdout.write(json === true ? `${JSON.stringify(report, null, 2)}\n` : printRun(report));
    return report.violationCount > 0 ? EXIT.violated : EXIT.ok;
  } catch (error) {
    progress.done();
    // Every failure of an operation ends here when the journal cannot be written.
    const expected =
      error instanceof TraceError ||
      error instanceof OutputError ||
      (flags.journal !== undefined && error instanceof MemfileError);
    if (!expected) throw error;
    process.stderr.write(`memfile: ${error.message}\n`);
    await journal?.close().catch(() => {}); // It has been said already.
    return EXIT.badInput;
  }
}

/** @throws OutputError when the trace is not there. */
function checkReadable(path: string): void {
  try {
    accessSync(path);
  } catch (error) {
    throw new OutputError((error as Error).message);
  }
}

/** @throws OutputError for options that mean nothing. */
function levelOf({ record, progress }: RunFlags): RecordLevel {
  const level = RECORD_LEVELS.find((known) => known === record);
  if (level === undefined) {
    throw new OutputError(`--record takes one of ${RECORD_LEVELS.join(', ')}, got ${record}`);
  }
  if (progress !== undefined && progress !== 'json') {
    throw new OutputError(`--progress takes json, got ${progress}`);
  }
  return level;
}
