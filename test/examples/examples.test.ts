import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileInside } from '../di/compile.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = 'dist/.examples';
const programs = readdirSync(here)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -'.ts'.length));

/** Every statement and declaration there is, inside functions too; a block is its statements. */
function countStatements(code: string): number {
  let count = 0;
  const visit = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return;
    const { type } = node as { readonly type?: unknown };
    if (typeof type === 'string' && type !== 'BlockStatement') {
      if (/(Statement|Declaration)$/.test(type)) count++;
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(code, { lang: 'ts' }));
  return count;
}

describe('the example programs', () => {
  let out = '';

  beforeAll(() => {
    out = compileInside(
      folder,
      programs.map((program) => join('test', 'examples', `${program}.ts`)),
    );
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are three', () => {
    expect(programs).toEqual(['composed-application', 'plugin-author', 'stream-consumer']);
  });

  it.each(programs)('%s has at most 40 statements', (program) => {
    const count = countStatements(readFileSync(join(here, `${program}.ts`), 'utf8'));
    expect(count).toBeGreaterThan(10);
    expect(count).toBeLessThanOrEqual(40);
  });

  it.each(programs)('%s prints what it says it prints', (program) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [join(out, `${program}.js`)], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toBe(readFileSync(join(here, `${program}.out.txt`), 'utf8'));
    expect(status).toBe(0);
  });
});
