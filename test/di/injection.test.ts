import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compileInside } from './compile.js';
import { report } from './injection.js';

const folder = 'dist/.di';

const expected = [
  'first, LedgerByToken: 1 files, 1 events, its own parts: true',
  'first, LedgerByType: 1 files, 1 events, its own parts: true',
  'first, LedgerByToken: 1 files, 1 events, its own parts: true',
  'second, LedgerByToken: 0 files, 0 events, its own parts: true',
  'second, LedgerByType: 0 files, 0 events, its own parts: true',
  'second, LedgerByToken: 0 files, 0 events, its own parts: true',
  'leaked into the global container: 0',
];

describe('injection, by tokens and by the types of a constructor', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('works as vitest transforms it', async () => {
    const lines: string[] = [];
    await report((line) => lines.push(line));
    expect(lines).toEqual(expected);
  });

  it('works as tsc compiles it', { timeout: 60_000 }, () => {
    const out = compileInside(
      folder,
      ['injection-main.ts', 'injection.ts', 'tokens.ts', 'types.ts'].map((name) =>
        join('test', 'di', name),
      ),
    );
    const main = join(out, 'injection-main.js');
    const printed = execFileSync(process.execPath, [main], { encoding: 'utf8' });
    expect(printed.trimEnd().split('\n')).toEqual(expected);
  });
});
