import { defineConfig } from 'vitest/config';

const everyDay = {
  include: [
    'src/**/*.test.ts',
    'graphql/**/*.test.ts',
    'jobs/**/*.test.ts',
    'scripts/**/*.test.ts',
    'test/**/*.test.ts',
  ],
  exclude: ['test/fixtures/**', 'test/wide/**', 'node_modules/**'],
  testTimeout: 60_000,
  maxWorkers: 2,
};

/** `npm run wide`: suites that take long, need root or fill a disk; one after the other, each wants the machine. */
const wide = { include: ['test/wide/**/*.test.ts'], exclude: ['node_modules/**'], testTimeout: 600_000, maxWorkers: 1 };

export default defineConfig(({ mode }) => ({
  test: { globalSetup: 'test/support/global-setup.ts', hookTimeout: 120_000, ...(mode === 'wide' ? wide : everyDay) },
}));
