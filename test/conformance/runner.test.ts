import { spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder = '';

/** A package of somebody else, who has memfile and what it asks for, but not vitest. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'memfile-kit-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'memfile'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a module of that package as a plain program. */
function run(code: string, ...args: readonly string[]): { status: number | null; out: string } {
  writeFileSync(join(folder, 'my.test.mjs'), code);
  const { VITEST: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, 'my.test.mjs'], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  return { status, out: stdout + stderr };
}

const store = (kind: string): string => `
  import { describe, it } from 'node:test';
  import { describeBackingStore, hostileStore } from 'memfile/testing';
  import { shmem } from 'memfile/plugins/shmem';
  const make = () => ${kind};
  describeBackingStore('my store', make, { test: { describe, it }, runs: 20 });
`;

describe('memfile/testing, outside vitest', () => {
  it('runs with the functions of another runner', () => {
    const { status, out } = run(store('shmem({ quota: 20 })'), '--test', '--test-reporter=tap');
    expect({ status, failed: /^# fail (\d+)/m.exec(out)?.[1] }).toEqual({ status: 0, failed: '0' });
    expect(out).toMatch(/^# pass [1-9]\d$/m);
  }, 30_000);

  it('fails there too, with the whole message', () => {
    const { status, out } = run(store(`hostileStore(shmem(), 'forgets to free')`), '--test');
    expect(status).toBe(1);
    expect(out).toContain('law 4: gone means gone: broken');
    expect(out).toContain('seed 20220118; run it again with');
    expect(out).toMatch(/MEMFILE_SEED=20220118 MEMFILE_RUNS=\d+ npm test/);
  }, 30_000);

  it('asks for test functions when there are none', () => {
    const { status, out } = run(
      `import { describeJournal } from 'memfile/testing'; describeJournal('mine', () => {});`,
    );
    expect(status).toBe(1);
    expect(out).toContain('no test functions: run this with vitest, or give those of your runner');
  });
});
