import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** How a test imports the package from its sources. */
const PATHS = /'\.\.\/\.\.\/(core|plugins\/[^/']+|adapters\/[^/']+)\/index\.js'/g;

function nameOf(_path: string, part: string): string {
  return part === 'core' ? "'memfile'" : `'memfile/${part}'`;
}

/**
 * Compiles copies of `files` with tsc in a folder of the package, where they import the package by
 * its own name instead of its sources, and answers the folder of the output. Both paths are
 * relative to the package.
 */
export function compileInside(folder: string, files: readonly string[]): string {
  const place = join(root, folder);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const file of files) {
    const source = readFileSync(join(root, file), 'utf8');
    writeFileSync(join(place, basename(file)), source.replaceAll(PATHS, nameOf));
  }
  const compilerOptions = {
    noEmit: false,
    outDir: 'out',
    rootDir: '.',
    declaration: false,
    sourceMap: false,
  };
  writeFileSync(
    join(place, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions,
      files: files.map((file) => basename(file)),
      include: [],
    }),
  );
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', place], { stdio: 'inherit' });
  return join(place, 'out');
}
