import type { Command } from 'commander';
import type { CheckFlags } from './check.js';
import type { DiffFlags } from './diff.js';
import type { ExportFlags } from './export.js';
import type { JournalFlags } from './journal-file.js';
import type { LogFlags } from './log.js';
import type { ShowFlags } from './show.js';

const JOURNAL = 'what `memfile run --journal` wrote';
const STATUS = '\nExit status: 0, or 2 when the journal is damaged or cannot be read.';

/** The commands that read a journal; what each needs is loaded when it runs. */
export function addJournalCommands(program: Command, exit: (code: number) => void): void {
  const command = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .argument('<journal>', JOURNAL)
      .option('--salvage', 'read a damaged journal as far as it is good');
  command('show', 'the state after an event of a journal, and a picture of its pages')
    .option('--at <position>', 'after which event; the last one by default')
    .option('--page <page>', 'only who held this page: leases, and consumers that were told of it')
    .option('--file <id>', 'of this file; 1 by default')
    .option('--json', 'print the state as JSON')
    .addHelpText('after', STATUS)
    .action(async (path: string, flags: ShowFlags) => {
      const { show } = await import('./show.js');
      exit(await show(path, flags));
    });
  command('log', 'what happened to pages, and which consumers were told')
    .option('--from <position>', 'begin with this event')
    .option('--to <position>', 'end with this event')
    .option('--range <start..end>', 'only what overlaps these pages, half-open')
    .option('--consumer <name>', 'only what this consumer was told')
    .option('--file <id>', 'only what happened to this file')
    .option('--page <page>', 'only what overlaps this page')
    .option('--last', 'the last event that touched --page of --file (1 by default), up to --to')
    .option(
      '--grace',
      'the longest grace periods, and who blocked them; takes a journal with times',
    )
    .option('--follow', 'go on with what is being written')
    .option('--json', 'print the rows of `run --events`, one JSON object a line')
    .addHelpText(
      'after',
      '\nExit status: 0, 1 when --last finds nothing, or 2 when the journal cannot be read.',
    )
    .action(async (path: string, flags: LogFlags) => {
      const { log } = await import('./log.js');
      exit(await log(path, flags));
    });
  command('check', 'check the laws over a journal, by an independent model')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nExit status: 0 when the laws hold, 1 when they do not, 2 when the journal is damaged.',
    )
    .action(async (path: string, flags: CheckFlags) => {
      const { check } = await import('./check.js');
      exit(await check(path, flags));
    });
  command('diff', 'the first event that another journal does not have so, times not counted')
    .argument('<other>', JOURNAL)
    .option('--json', 'print both events as JSON, or null')
    .addHelpText(
      'after',
      '\nExit status: 0 when both tell the same, 1 when not, 2 when one is damaged.',
    )
    .action(async (path: string, other: string, flags: DiffFlags) => {
      const { diff } = await import('./diff.js');
      exit(await diff(path, other, flags));
    });
  command('rerun', 'drive what a journal recorded again, and compare every event')
    .addHelpText(
      'after',
      '\nExit status: 0 when all events are the same, 1 at the first that is not, 2 for bad input.',
    )
    .action(async (path: string, flags: JournalFlags) => {
      const { rerunJournal } = await import('./rerun.js');
      exit(await rerunJournal(path, flags));
    });
  command('export', 'write a journal for other programs')
    .requiredOption('--to <format>', 'jsonl: every event; perfetto: a trace for ui.perfetto.dev')
    .option('-o, --output <file>', 'write there and not to standard output')
    .addHelpText('after', STATUS)
    .action(async (path: string, flags: ExportFlags) => {
      const { exportJournal } = await import('./export.js');
      exit(await exportJournal(path, flags));
    });
}
