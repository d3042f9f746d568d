/** The command line: a trace of a million lines, and how soon `--help` is there. */
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { lcg, median } from '../harness.js';

const LINES = 1_000_000;
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

/** What a process did beside a memory file of 65,536 pages: three lines of ten are about it. */
async function write(path) {
  const random = lcg(11);
  const out = createWriteStream(path);
  const say = async (text) => {
    if (!out.write(text)) await new Promise((resolve) => out.once('drain', resolve));
  };
  await say('100 memfd_create("ram", MFD_CLOEXEC) = 3\n100 ftruncate(3, 268435456) = 0\n');
  let lines = [];
  for (let i = 2; i < LINES; i++) {
    const at = `${100 + (i % 4)} 15:41:27.${String(i % 1_000_000).padStart(6, '0')}`;
    lines.push(`${at} ${CALLS[i % 10](random(65_000) * 4096, (1 + random(512)) * 4096)}`);
    if (lines.length === 10_000 || i === LINES - 1) {
      await say(`${lines.join('\n')}\n`);
      lines = [];
    }
  }
  await new Promise((resolve) => out.end(resolve));
}

const CALLS = [
  (offset, length) => `fallocate(3, 0, ${offset}, ${length}) = 0`,
  () => 'futex(0x7f96816b9000, FUTEX_WAKE_PRIVATE, 1) = 1',
  () => 'ioctl(12, KVM_RUN, 0) = 0',
  (offset, length) =>
    `fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, ${offset}, ${length}) = 0`,
  () => 'recvmsg(7, {msg_namelen=0}, MSG_DONTWAIT) = -1 EAGAIN (Resource temporarily unavailable)',
  () => 'write(9, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) = 8',
  (offset) => `madvise(0x7f${offset.toString(16).padStart(10, '0')}, 4096, MADV_DONTNEED) = 0`,
  () => 'ppoll([{fd=4, events=POLLIN}, {fd=6, events=POLLIN}], 2, NULL, NULL, 8) = 1 ([{fd=4}])',
  () => 'read(4, "\\1\\0\\0\\0\\0\\0\\0\\0", 512) = 8',
  () => 'clock_gettime(CLOCK_MONOTONIC, {tv_sec=5, tv_nsec=863974}) = 0',
];

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
