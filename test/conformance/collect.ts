import { expect } from 'vitest';
import { LawBroken, type KitOptions, type TestFunctions } from '../kit/index.js';

/** Every test that was defined with these functions, and how to run one. */
export interface Collected {
  readonly test: TestFunctions;
  /** Runs the tests of which the name contains this; answers what each failed with, by name. */
  run(part?: string): Promise<ReadonlyMap<string, Error | undefined>>;
}

export function collect(): Collected {
  const tests: { readonly name: string; readonly body: () => Promise<void> }[] = [];
  let group = '';
  const test: TestFunctions = {
    describe(name, body) {
      group = name;
      body();
    },
    it(name, body) {
      tests.push({ name: `${group} ${name}`, body: () => body({ skip: () => {} }) });
    },
  };
  return {
    test,
    async run(part = '') {
      const results = new Map<string, Error | undefined>();
      for (const { name, body } of tests.filter(({ name }) => name.includes(part))) {
        await body().then(
          () => results.set(name, undefined),
          (error: Error) => results.set(name, error),
        );
      }
      return results;
    },
  };
}

/**
 * What the kit says of something faulty: the law by number and name, what is wrong, the program, the
 * seed, and the command that finds it again.
 */
export async function expectFound(
  describeIt: (subject: string, options: KitOptions) => void,
  law: string,
  says: RegExp,
): Promise<void> {
  const { test, run } = collect();
  describeIt('the subject', { test, seed: 7, command: (name) => `try "${name}"` });
  const failures = [...(await run(law)).values()].filter((error) => error !== undefined);
  expect(failures.map(({ message }) => message)).toContainEqual(expect.stringMatching(says));
  const error = failures.find(({ message }) => says.test(message))!;
  expect(error).toBeInstanceOf(LawBroken);
  const { message } = error;
  const [title] = law.split(',');
  expect(message.startsWith(`${title}: broken\n`)).toBe(true);
  expect(message).toMatch(/^the shortest program found that breaks it .*:\n {2}1\. \S/m);
  expect(message).toMatch(/^seed 7; run it again with$/m);
  const again = `^ {2}MEMFILE_SEED=7 MEMFILE_RUNS=\\d+ try "the subject ${law}.*"$`;
  expect(message).toMatch(new RegExp(again, 'm'));
  expect(message.match(/^ {2}\d+\. /gm)!.length).toBeLessThanOrEqual(12);
}
