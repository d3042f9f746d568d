/** What the kit needs of a test runner: vitest, jest, mocha and `node:test` have it. */
export interface TestFunctions {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: (...context: TestContext[]) => Promise<void>, timeoutMs?: number): unknown;
}

/** What a runner hands to a test, if it does. */
export interface TestContext {
  skip?(why?: string): void;
}

/** Loaded in a run of vitest only; elsewhere the functions are given. */
const vitest =
  globalThis.process?.env['VITEST'] === undefined
    ? undefined
    : await import('vitest').catch(() => undefined);

/** The functions of vitest, when this is a run of it. */
export function vitestFunctions(): TestFunctions {
  if (vitest !== undefined) return vitest;
  throw new TypeError(
    'no test functions: run this with vitest, or give those of your runner, { test: { describe, it } }',
  );
}

/** How vitest runs the tests again whose full name contains `name`. */
export function vitestCommand(name: string): string {
  const path = vitest?.expect.getState().testPath ?? '';
  const root = `${process.cwd()}/`;
  const file = path.startsWith(root) ? path.slice(root.length) : path;
  return `npx vitest run ${file} -t "${name.replaceAll(/[\\^$.*+?()[\]{}|"]/g, '\\$&')}"`;
}

/** How that is said where the runner is not known. */
export function anyCommand(name: string): string {
  return `npm test # "${name}"`;
}
