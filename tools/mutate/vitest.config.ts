import { defineConfig } from 'vitest/config';

/** The unit tests of the domain alone: a file that decides is judged by its own tests, and not by whole runs. */
export default defineConfig({ test: { include: ['test/unit/domain/**/*.test.ts'], testTimeout: 30_000 } });
