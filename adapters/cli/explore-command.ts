import { InvalidArgumentError, type Command } from 'commander';
import type { ExploreFlags } from './explore.js';

const STATUS =
  '\nExit status: 0 when the laws hold, 1 when one was broken, 2 for bad input;' +
  ' 130 and 143 when a signal ended it.';

/** `memfile explore`; what it needs is loaded when it runs. */
export function addExploreCommand(program: Command, exit: (code: number) => void): void {
  program
    .command('explore')
    .description('run programs in every order of their turns, or in a sample, and check the laws')
    .option('--program <name>', 'one program only: a litmus test, or storm')
    .option('--seed <n>', 'what samples and storms follow from', count, 1)
    .option(
      '--runs <n>',
      'how many schedules of storms; a litmus test runs them all',
      count,
      20_000,
    )
    .option(
      '--time <duration>',
      'for how long: 90, 60s or 2m; then --runs does not count',
      duration,
    )
    .option('--json', 'print the report as JSON')
    .option('--list', 'list the programs')
    .option('--save <file>', 'write a counterexample as JSON lines, with its journal')
    .option('--replay <file>', 'run a saved counterexample again')
    .addHelpText('after', STATUS)
    .action(async (flags: ExploreFlags) => {
      const { exploreCommand } = await import('./explore.js');
      exit(await exploreCommand(flags));
    });
}

/** `memfile museum`. */
export function addMuseumCommand(program: Command, exit: (code: number) => void): void {
  program
    .command('museum')
    .description('bugs that really happened, found again, and looked for in our code')
    .argument('[name]', 'one exhibit only, with its history and how it goes wrong')
    .option('--seed <n>', 'what samples follow from', count, 1)
    .option('--runs <n>', 'how many schedules our code is tried in, at most', count, 2000)
    .option('--json', 'print the report as JSON')
    .addHelpText('after', STATUS)
    .action(async (name: string | undefined, flags) => {
      const { museumCommand } = await import('./museum.js');
      exit(await museumCommand(name, flags));
    });
}

function count(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('It has to be a whole number.');
}

const UNIT_MS: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, ms: 1 };

/** Milliseconds. */
function duration(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|)$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * UNIT_MS[unit!]!;
  throw new InvalidArgumentError('It has to be seconds, or a number with ms, s or m.');
}
