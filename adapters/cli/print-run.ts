import { PAGE_SIZE } from '../../core/index.js';
import type { FileReport } from '../trace-run/index.js';
import type { RunReport } from './run-trace.js';

/** The report for people. */
export function printRun(report: RunReport): string {
  const { files, consumers, memslots } = report;
  const lines = [
    `${report.trace}: ${report.lines} lines, ${report.calls} calls, ${report.events} events`,
    `store: ${report.store}`,
    '',
    ...table(
      [
        'file',
        'name',
        'size',
        'allocated',
        'peak',
        'punches',
        'punched',
        'union',
        'freed',
        'zapped nothing',
      ],
      files.map((file) => [
        String(file.id),
        file.name + (file.hugetlb && report.store === 'shmem' ? ' (hugetlb, run on shmem)' : ''),
        size(file),
        bytes(file.allocatedBytes),
        bytes(file.peakAllocatedBytes),
        String(file.punchCalls),
        bytes(file.punchedBytes),
        bytes(file.punchedUnionBytes),
        bytes(file.freedBytes),
        String(file.idlePunches),
      ]),
      'no memory file is created in this trace',
    ),
    '',
    `memslots: ${memslots.set} set, ${memslots.deleted} deleted, at most ${memslots.maxLive} at once`,
    '',
    ...table(
      ['consumer', 'file', 'notifications', 'pages zapped'],
      consumers.map(({ name, file, notifications, zappedPages }) => [
        name,
        String(file),
        String(notifications),
        String(zappedPages),
      ]),
      'no consumer: nothing maps a memory file in this trace',
    ),
    ...device(report),
    '',
    `failed calls: ${counts(report.failedCallsByName)}`,
    `not understood: ${counts(report.unknownCallsByName)}`,
  ];
  for (const [code, { faults, fallocates, first }] of Object.entries(report.refused)) {
    const where = `first at page ${first.page} of file ${first.file}, after event ${first.position}`;
    lines.push(`refused with ${code}: ${faults} faults, ${fallocates} fallocates; ${where}`);
  }
  const removes = files.reduce((sum, file) => sum + file.removeCalls, 0);
  if (removes > 0) lines.push(`madvise(MADV_REMOVE): ${removes} calls, not counted as punches`);
  const untouched = files.reduce((sum, file) => sum + file.untouchedBytes, 0);
  if (untouched > 0) {
    lines.push(
      `punched at once beyond 4 GiB, and so not assumed to be touched: ${bytes(untouched)}`,
    );
  }
  if (report.untrackedCalls > 0) {
    lines.push(`calls on files whose creation is not in the trace: ${report.untrackedCalls}`);
  }
  if (report.unparsedLines > 0) lines.push(`lines that are no strace: ${report.unparsedLines}`);
  if (report.neverResumed > 0) lines.push(`calls never resumed: ${report.neverResumed}`);
  lines.push('', report.assumption, '', `verdict: ${report.verdict}`);
  for (const { law, name, consumer, file, detail } of report.violations.slice(0, 20)) {
    lines.push(`  law ${law} (${name}): ${consumer}, file ${file}: ${detail}`);
  }
  return `${lines.join('\n')}\n`;
}

function device({ device }: RunReport): string[] {
  if (device === undefined) return [];
  const { mappings, pages, splits, droppedPages, refusals } = device;
  const dropped = droppedPages > 0 ? `, ${droppedPages} pages dropped for want of room` : '';
  return [
    '',
    `device: ${mappings.now} mappings of ${pages.now} pages, at most ${mappings.peak} of ` +
      `${mappings.budget} mappings and ${pages.peak} pages; ${splits} splits${dropped}`,
    `device: refused pages ${refusals} times, because its budget was used up`,
  ];
}

/** How many rows of a table are shown before the rest is summed up. */
const ROWS = 24;

function table(head: string[], rows: string[][], empty: string): string[] {
  if (rows.length === 0) return [empty];
  const shown = [head, ...rows.slice(0, ROWS)];
  const widths = head.map((_, column) => Math.max(...shown.map((row) => row[column]!.length)));
  const lines = shown.map((row) =>
    row
      .map((cell, column) =>
        /^[\d.]/.test(rows[0]![column]!)
          ? cell.padStart(widths[column]!)
          : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
  if (rows.length > ROWS) lines.push(`… and ${rows.length - ROWS} more; --json has all`);
  return lines;
}

function counts(byName: Readonly<Record<string, number>>): string {
  const names = Object.entries(byName).sort(([, a], [, b]) => b - a);
  if (names.length === 0) return 'none';
  const shown = names.slice(0, 8).map(([name, count]) => `${count} ${name}`);
  const rest = names.slice(8).reduce((sum, [, count]) => sum + count, 0);
  return shown.join(', ') + (rest > 0 ? `, ${rest} of ${names.length - 8} other kinds` : '');
}

function size({ sizeBytes, roundedBytes }: FileReport): string {
  const rounded =
    roundedBytes - sizeBytes >= PAGE_SIZE ? `, rounded to ${bytes(roundedBytes)}` : '';
  return bytes(sizeBytes) + rounded;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
