import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';

/** Folders of unit tests that simulate whole runs, try thousands of inputs, or start processes. */
const SLOW = ['prove', 'fuzz', 'host'].map((folder) => `test/unit/${folder}/**/*.test.ts`);

const cores = availableParallelism();

// Workers, hosts and emulators load the same large packages. Node keeps what it has compiled of them.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'node-compile-cache');

/**
 * A project with its own number of workers needs its own `groupOrder`, and the groups run one after another. Vitest
 * refuses to start otherwise, but only where the numbers differ: a machine with few cores hides the mistake.
 */
export default defineConfig({
  test: {
    tags: [
      {
        name: 'slow',
        description: 'Takes seconds, outside of the folders of the project "slow". npm run test:unit leaves it out.',
      },
    ],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...SLOW],
          testTimeout: 30_000,
          maxWorkers: cores,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'slow',
          include: SLOW,
          testTimeout: 30_000,
          maxWorkers: cores,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          globalSetup: ['test/support/azurite/azurite.setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: cores,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'page',
          include: ['test/page/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: cores,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/azurite/azurite.setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // These tests wait for hosts most of the time, which leaves the cores idle.
          maxWorkers: Math.max(4, cores),
          // Loading the SDKs into a new process for each file takes longer than many a test.
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
