import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The command line is tested as it is shipped: compiled, in a process of its own. */
export function setup(): void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
}
