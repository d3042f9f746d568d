import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/build.ts'],
    // A loaded machine is slow, and nothing else: no test measures time.
    testTimeout: 60_000,
  },
});
