#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT } from './exit.js';
import { addExploreCommand, addMuseumCommand } from './explore-command.js';
import { addJournalCommands } from './journal-commands.js';
import { addRunCommand } from './run-command.js';

const manifest = new URL('../../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string };

const program = new Command('memfile')
  .description('Memory files that tell every consumer when their pages come and go.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(run with --help for the options)');
for (const add of [addRunCommand, addJournalCommands, addExploreCommand, addMuseumCommand]) {
  add(program, (code) => (process.exitCode = code));
}

// That SQLite is young in Node.js is no news to whoever runs this.
process.removeAllListeners('warning');
process.on('warning', ({ name, message }) => {
  if (name !== 'ExperimentalWarning') process.stderr.write(`memfile: ${name}: ${message}\n`);
});

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, as `head`, is no failure of ours.
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  process.stderr.write(`memfile: cannot write the report: ${error.message}\n`);
  process.exit(EXIT.badInput);
});

try {
  if (process.argv.length <= 2) program.help({ error: true });
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
}
