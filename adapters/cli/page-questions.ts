import { MemfileError, type Journal } from '../../core/index.js';
import { holders, lastTouch, type Holders, type PageQuestion } from '../journal-questions/index.js';
import { EXIT } from './exit.js';
import { wholeNumber } from './journal-file.js';

/** Which page is asked about; `--file` may be left out for the only file that there ever was. */
export interface PageFlags {
  readonly file?: string;
  readonly page?: string;
  readonly json?: true;
}

/** Prints the last event that something happened to a page by; status 1 when there is none. */
export function printLastTouch(journal: Journal, flags: PageFlags, to: string | undefined): number {
  const question = questionOf(journal, 'log', flags, '--to', to);
  const event = lastTouch(journal, question);
  const { file, page } = question;
  const nothing = `nothing has happened to page ${page} of file ${file}`;
  const text = event === undefined && flags.json !== true ? nothing : JSON.stringify(event ?? null);
  process.stdout.write(`${text}\n`);
  return event === undefined ? EXIT.violated : EXIT.ok;
}

/** Prints who held a page. */
export function printHolders(journal: Journal, flags: PageFlags, at: string | undefined): number {
  const held = holders(journal, questionOf(journal, 'show', flags, '--at', at));
  process.stdout.write(`${flags.json === true ? JSON.stringify(held, null, 2) : describe(held)}\n`);
  return EXIT.ok;
}

function questionOf(
  journal: Journal,
  command: string,
  { file, page }: PageFlags,
  option: string,
  position: string | undefined,
): PageQuestion {
  if (page === undefined) {
    throw new MemfileError('EINVAL', command, 'which page? say --page PAGE, and --file ID');
  }
  const at = position === undefined ? undefined : wholeNumber(option, position);
  if (at !== undefined && at > journal.position) {
    throw new MemfileError('EINVAL', command, `position ${at} is not in 0..${journal.position}`);
  }
  return { file: wholeNumber('--file', file ?? '1', 1), page: wholeNumber('--page', page), at };
}

function describe({ position, file, page, pfn, leases, mappings }: Holders): string {
  const lines = [
    `page ${page} of file ${file} after event ${position}: ${pfn === null ? 'a hole' : `frame ${pfn}`}`,
  ];
  for (const { consumer, count, stale, pfn } of leases) {
    lines.push(`leased ${count} × by "${consumer}": frame ${pfn}${stale ? ', stale' : ''}`);
  }
  for (const { consumer, told, position } of mappings ?? []) {
    const what = told === 'there' ? 'that it is there' : 'to let go, and has not answered';
    lines.push(`"${consumer}" was told ${what}, by event ${position}`);
  }
  if (mappings === null)
    lines.push('whom it was told to is not recorded: it takes level deliveries');
  if (leases.length + (mappings?.length ?? 1) === 0) lines.push('nobody holds it');
  return lines.join('\n');
}
