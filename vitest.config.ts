import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/build.ts'],
    // By default one core is left idle, which is half of a machine that has two.
    maxWorkers: '100%',
    // A loaded machine is slow, and nothing else: no test measures time.
    testTimeout: 60_000,
  },
});
