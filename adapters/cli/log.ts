import { MemfileError, replay, type Recorded } from '../../core/index.js';
import { EventRows, type EventRow } from '../journal-log/index.js';
import type { SqliteJournal } from '../sqlite/index.js';
import { EXIT } from './exit.js';
import { printGracePeriods } from './grace.js';
import { wholeNumber, withJournal, type JournalFlags } from './journal-file.js';
import { printLastTouch } from './page-questions.js';

export interface LogFlags extends JournalFlags {
  readonly from?: string;
  readonly to?: string;
  readonly range?: string;
  readonly consumer?: string;
  readonly file?: string;
  readonly page?: string;
  readonly last?: true;
  readonly grace?: true;
  readonly follow?: true;
  readonly json?: true;
}

/** Prints what happened to pages, and who was told, as rows. */
export function log(path: string, flags: LogFlags): Promise<number> {
  return withJournal(path, flags, async (journal) => {
    if (flags.grace === true) return printGracePeriods(journal, flags.json === true);
    if (flags.last === true) return printLastTouch(journal, flags, flags.to);
    const from = flags.from === undefined ? journal.first : wholeNumber('--from', flags.from, 1);
    const to = flags.to === undefined ? Infinity : wholeNumber('--to', flags.to);
    const wanted = filter(flags);
    const before = from > 1 ? replay(journal, Math.min(from - 1, journal.position)) : undefined;
    const rows = new EventRows(before);
    const print = (made: Iterable<EventRow>): void => {
      for (const row of made) {
        if (!wanted(row)) continue;
        process.stdout.write(`${flags.json === true ? JSON.stringify(row) : line(row)}\n`);
      }
    };
    for await (const event of events(journal, from, to, flags.follow === true, () =>
      print(rows.end()),
    )) {
      print(rows.next(event));
    }
    print(rows.end());
    return EXIT.ok;
  });
}

async function* events(
  journal: SqliteJournal,
  from: number,
  to: number,
  follow: boolean,
  onCaughtUp: () => void,
): AsyncIterable<Recorded> {
  if (!follow) {
    yield* journal.read(from, to + 1);
    return;
  }
  for await (const event of journal.subscribe(from, { onCaughtUp })) {
    if (event.position > to) return;
    yield event;
    // An arrival is one row of many events, which are committed together.
    if (event.position === journal.position) onCaughtUp();
  }
}

/** Which rows are asked for: pages that overlap, one file, one consumer. */
function filter({ range, page, file, consumer }: LogFlags): (row: EventRow) => boolean {
  const [start, end] = pagesOf(range, page);
  const id = file === undefined ? undefined : wholeNumber('--file', file, 1);
  return (row) =>
    row.start < end &&
    start < row.end &&
    (id === undefined || row.file === id) &&
    (consumer === undefined || row.consumer === consumer);
}

function pagesOf(range: string | undefined, page: string | undefined): [number, number] {
  if (page !== undefined) {
    const start = wholeNumber('--page', page);
    return [start, start + 1];
  }
  if (range === undefined) return [0, Infinity];
  const [, first, last] = /^(\d+)(?:\.\.|[-:,])(\d+)$/.exec(range) ?? [];
  if (Number(first) < Number(last)) return [Number(first), Number(last)];
  const why = `--range takes pages START..END, half-open and not empty, got ${range}`;
  throw new MemfileError('EINVAL', 'log', why);
}

function line({ position, type, reason, file, consumer, start, end }: EventRow): string {
  const who = consumer === null ? '' : ` → ${consumer}`;
  return `${position}\t${type}\t${reason}\tfile ${file}\t[${start}, ${end})${who}`;
}
