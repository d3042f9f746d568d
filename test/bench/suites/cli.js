/** The command line: a trace of a million lines, and how soon `--help` is there. */
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import { median } from '../harness.js';

const LINES = 1_000_000;
const fixture = new URL('../../fixtures/qemu-kvm-postcopy-shmem-src.strace.gz', import.meta.url);
const memfile = new URL('../../../dist/adapters/cli/main.js', import.meta.url).pathname;
const LINE = /^(?:(\d+) +)?(?:[\d:.]+ +)?(\w+)\((.*)\) += (-?\w+)(.*)$/;

export default async function cli(suite) {
  const folder = mkdtempSync(join(tmpdir(), 'memfile-bench-'));
  try {
    const trace = join(folder, 'long.strace');
    await write(trace);
    const samples = { 'memfile run': [], 'readline and a regular expression': [] };
    for (let round = 0; round < 3; round++) {
      const args = [memfile, 'run', trace, '--json'];
      const quiet = { stdio: ['ignore', 'ignore', 'ignore'] };
      const run = timed(() => execFileSync(process.execPath, args, quiet));
      samples['memfile run'].push(run);
      samples['readline and a regular expression'].push(await parse(trace));
    }
    for (const [name, each] of Object.entries(samples)) {
      suite.note('1,000,000 lines, ns a line', name, median(each) / LINES);
    }
    suite.note('1,000,000 lines, peak MB', 'memfile run', peakOf(trace));
  } finally {
    rmSync(folder, { recursive: true });
  }
  const starts = { 'memfile --help': [], 'node -e 0': [] };
  for (let round = 0; round < 11; round++) {
    starts['memfile --help'].push(timed(() => execFileSync(process.execPath, [memfile, '--help'])));
    starts['node -e 0'].push(timed(() => execFileSync(process.execPath, ['-e', '0'])));
  }
  for (const [name, each] of Object.entries(starts)) suite.note('start, ns', name, median(each));
}

/** A recorded run of QEMU, again and again: each time its files are new ones. */
async function write(path) {
  const lines = gunzipSync(readFileSync(fixture)).toString().trimEnd().split('\n');
  const out = createWriteStream(path);
  for (let left = LINES; left > 0; left -= lines.length) {
    const some = lines.slice(0, left).join('\n');
    if (!out.write(`${some}\n`)) await new Promise((resolve) => out.once('drain', resolve));
  }
  await new Promise((resolve) => out.end(resolve));
}

async function parse(path) {
  const start = process.hrtime.bigint();
  const calls = new Map();
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const found = LINE.exec(line);
    if (found !== null) calls.set(found[2], (calls.get(found[2]) ?? 0) + 1);
  }
  return Number(process.hrtime.bigint() - start);
}

/** In a process of its own that looks at itself when all is done. */
function peakOf(trace) {
  const look = `process.on('exit', () => console.error(process.resourceUsage().maxRSS))`;
  const preload = `data:text/javascript,${encodeURIComponent(look)}`;
  const args = ['-c', `"$0" --import "$1" "$2" run "$3" --json 2>&1 >/dev/null`];
  const said = execFileSync('sh', [...args, process.execPath, preload, memfile, trace]);
  return Number(said.toString().trim().split('\n').at(-1)) / 1000;
}

function timed(work) {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
}
