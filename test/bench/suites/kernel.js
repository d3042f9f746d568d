/** What the kernel takes for the real thing, where a C compiler is there. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const source = (name) => new URL(`../c/${name}.c`, import.meta.url).pathname;

export default async function kernel(suite) {
  if (spawnSync('gcc', ['--version']).error !== undefined) {
    console.error('no gcc: the kernel suite is left out');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'memfile-bench-'));
  try {
    measure(suite, folder, 'memfd', []);
    measure(suite, folder, 'urcu', ['-lurcu-memb', '-lurcu-common', '-lpthread']);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The program prints `case TAB candidate TAB nanoseconds`. */
function measure(suite, folder, name, libraries) {
  const program = join(folder, name);
  const args = ['-O2', '-o', program, source(name), ...libraries];
  const { status } = spawnSync('gcc', args, { stdio: 'ignore' });
  if (status !== 0) {
    console.error(`${name}.c does not compile here (is its library installed?): left out`);
    return;
  }
  for (const line of execFileSync(program).toString().trim().split('\n')) {
    const [title, candidate, ns] = line.split('\t');
    suite.note(title, candidate, Number(ns));
  }
}
