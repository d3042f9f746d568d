import { MemfileError, replay } from '../../core/index.js';
import { PerfettoTrace } from '../perfetto/index.js';
import type { SqliteJournal } from '../sqlite/index.js';
import { EXIT } from './exit.js';
import { withJournal, type JournalFlags } from './journal-file.js';
import { Output } from './output.js';

export interface ExportFlags extends JournalFlags {
  readonly to: string;
  readonly output?: string;
}

const FORMATS: Readonly<Record<string, (journal: SqliteJournal) => Iterable<string>>> = {
  jsonl,
  perfetto,
};

/** Writes a journal for other programs. */
export function exportJournal(path: string, flags: ExportFlags): Promise<number> {
  return withJournal(path, flags, async (journal) => {
    const format = FORMATS[flags.to];
    if (format === undefined) {
      const known = Object.keys(FORMATS).join(', ');
      throw new MemfileError('EINVAL', 'export', `--to takes one of ${known}, got ${flags.to}`);
    }
    const output = new Output(flags.output, path);
    for (const text of format(journal)) await output.write(text);
    await output.end();
    return EXIT.ok;
  });
}

/** Every event on a line of its own, oldest first. */
function* jsonl(journal: SqliteJournal): Iterable<string> {
  for (const event of journal.read(1)) yield `${JSON.stringify(event)}\n`;
}

/** The Chrome JSON trace format: one event a line. */
function* perfetto(journal: SqliteJournal): Iterable<string> {
  const trace = new PerfettoTrace(replay(journal, journal.first - 1));
  let before = '{"displayTimeUnit":"ns","traceEvents":[\n';
  for (const event of journal.read(1)) {
    for (const traced of trace.next(event)) {
      yield `${before}${JSON.stringify(traced)}`;
      before = ',\n';
    }
  }
  for (const traced of trace.end()) {
    yield `${before}${JSON.stringify(traced)}`;
    before = ',\n';
  }
  yield before === ',\n' ? '\n]}\n' : `${before}]}\n`;
}
