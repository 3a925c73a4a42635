import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

/** Folders of unit tests that simulate whole runs, try thousands of inputs, or start processes. */
const SLOW = ['prove', 'fuzz', 'host'].map((folder) => `test/unit/${folder}/**/*.test.ts`);

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
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'slow',
          include: SLOW,
          testTimeout: 30_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          globalSetup: ['test/support/azurite/azurite.setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/azurite/azurite.setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
