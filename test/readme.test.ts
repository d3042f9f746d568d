import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

interface Fence {
  readonly language: string;
  readonly code: string;
}

const fences: Fence[] = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(
  ([, language, code]) => ({ language: language!, code: code! }),
);

/** Inside the package, so that a program finds it by its name. */
const folder = join(root, 'dist', '.readme');

describe('the README', () => {
  beforeAll(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const options = {
      skipLibCheck: false,
      noEmit: false,
      outDir: 'out',
      rootDir: '.',
      declaration: false,
    };
    const files: string[] = [];
    for (const [i, { language, code }] of fences.entries()) {
      if (language !== 'ts') continue;
      files.push(`fence-${i}.mts`);
      writeFileSync(join(folder, `fence-${i}.mts`), code);
    }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../tsconfig.json',
        compilerOptions: { ...options, sourceMap: false },
        files,
        include: [],
      }),
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    execFileSync(process.execPath, [tsc, '-p', folder], { stdio: 'inherit' });
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has fences of known kinds only, each program with its output', () => {
    expect(new Set(fences.map(({ language }) => language))).toEqual(new Set(['sh', 'ts', 'text']));
    for (const [i, { language }] of fences.entries()) {
      if (language === 'ts') expect(fences[i + 1]?.language).toBe('text');
    }
  });

  it.each(
    fences.map((fence, i) => [i, fence] as const).filter(([, { language }]) => language === 'ts'),
  )('fence %i prints what the README says', (i) => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [join(folder, 'out', `fence-${i}.mjs`)],
      {
        encoding: 'utf8',
      },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe(fences[i + 1]!.code);
  });

  it('shows the example programs as they are', () => {
    const shown = fences.map(({ code }) => code);
    for (const name of ['plugin-author', 'composed-application', 'stream-consumer']) {
      for (const ending of ['.ts', '.out.txt']) {
        const file = join(root, 'test', 'examples', `${name}${ending}`);
        expect(shown).toContain(readFileSync(file, 'utf8'));
      }
    }
  });

  it('links to what is there', () => {
    const targets = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target]) => target!);
    expect(targets.length).toBeGreaterThan(5);
    expect(targets.filter((target) => !existsSync(join(root, target)))).toEqual([]);
  });

  it('names commands that exist', { timeout: 60_000 }, () => {
    const commands = fences
      .filter(({ language }) => language === 'sh')
      .flatMap(({ code }) => code.trim().split(/\n|&&/))
      .map((line) => line.replace(/ #.*/, '').trim());
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) {
      const [tool, ...args] = command.split(' ');
      if (tool === 'npx' && args[0] === 'memfile') {
        const main = join(root, 'dist', 'adapters', 'cli', 'main.js');
        const { status } = spawnSync(process.execPath, [main, ...args.slice(1)], { cwd: root });
        expect({ command, status }).toEqual({ command, status: 0 });
      } else {
        // Installing, and running the tests inside the tests, would not end.
        const script = args[0] === 'run' ? args[1] : args[0];
        expect({
          command,
          known: script === 'ci' || Object.hasOwn(manifest.scripts, script ?? ''),
        }).toEqual({
          command,
          known: true,
        });
      }
    }
  });
});
