import { InvalidArgumentError, Option, type Command } from 'commander';
import type { RunFlags } from './run.js';
import { parseStore, SHMEM } from './store-option.js';

/** Every call that the importer follows. */
const TRACED = [
  'memfd_create,open,openat,creat,fallocate,ftruncate,mmap,munmap,madvise,ioctl',
  'close,close_range,dup,dup2,dup3,fcntl,clone,clone3,fork,vfork,execve',
];

const STORE_HELP =
  'what the memory is made of: shmem, hugetlb:2M,pool=N or hugetlb:1G,pool=N (N huge pages)';

/** `memfile run TRACE`; what it needs is loaded when it runs, so that `--help` answers at once. */
export function addRunCommand(program: Command, exit: (code: number) => void): void {
  program
    .command('run')
    .description('drive a recorded run through memory files, mappings and KVM, and check the laws')
    .argument('<trace>', 'what `strace -f` wrote, plain or gzip; - for standard input')
    .option('--json', 'print the report as JSON')
    .option('--events <file>', 'write every committed event and every delivery as JSON lines')
    .addOption(
      new Option('--store <store>', STORE_HELP).argParser(parseStore).default(SHMEM, SHMEM.text),
    )
    .option('--device', 'attach an encrypted device to every memory file')
    .option('--budget <mappings>', 'how many mappings the device may have (65535)', parseBudget)
    .option(
      '--journal <file>',
      'record in this SQLite journal, durably; goes on with one that is there',
    )
    .option('--record <level>', 'what the journal records: state, deliveries or full', 'deliveries')
    .option('--progress <format>', 'json: print which position is on disk, on standard error')
    .addHelpText(
      'after',
      '\nExit status: 0 when the laws hold, 1 when they do not, 2 for bad input.' +
        '\nRecord a trace with:' +
        `\n  strace -f -o run.strace -e trace=${TRACED.join(',')} PROGRAM`,
    )
    .action(async (path: string, flags: RunFlags) => {
      const source = path === '-' ? '/dev/stdin' : path;
      // The log is being read while the rest is loaded.
      const { readTraceAside } = await import('../strace-thread/index.js');
      const trace = readTraceAside(source);
      const { run } = await import('./run.js');
      exit(await run(source, trace, flags));
    });
}

function parseBudget(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number of mappings.');
}
