import { DMA_ENTRY_LIMIT } from '../encrypted-device/index.js';
import { TraceError, type TraceSummary } from '../strace/index.js';
import { EXIT } from './exit.js';
import { printRun } from './print-run.js';
import { Progress } from './progress.js';
import { OutputError, RowFile } from './row-file.js';
import { runTrace } from './run-trace.js';
import type { StoreChoice } from './store-option.js';

export interface RunFlags {
  readonly json?: true;
  readonly events?: string;
  readonly store: StoreChoice;
  readonly device?: true;
  /** How many mappings the device may have; there is one when this is said. */
  readonly budget?: number;
}

/** Runs a trace and reports on it; answers the exit status. */
export async function run(path: string, flags: RunFlags): Promise<number> {
  const { json, events, store, device, budget = device && DMA_ENTRY_LIMIT } = flags;
  let rows: RowFile | undefined;
  let summary: TraceSummary | undefined;
  const progress = new Progress(() => {
    const { lines, bytesRead, bytesTotal } = summary!;
    return `${lines} lines, ${Math.floor((100 * bytesRead) / Math.max(1, bytesTotal))} %`;
  });
  try {
    if (events !== undefined) rows = new RowFile(events, path);
    const report = await runTrace(path, {
      store,
      device: budget,
      onEvent: rows && ((row) => rows!.write(row)),
      onStall: (line) => process.stderr.write(`memfile: ${line}\n`),
      onProgress(now) {
        summary = now;
        progress.tick();
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
    if (!(error instanceof TraceError) && !(error instanceof OutputError)) throw error;
    process.stderr.write(`memfile: ${error.message}\n`);
    return EXIT.badInput;
  }
}
