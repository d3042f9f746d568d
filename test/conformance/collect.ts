import type { TestFunctions } from '../kit/index.js';

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
