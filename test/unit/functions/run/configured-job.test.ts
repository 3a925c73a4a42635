import { expect, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { configuredRule } from '#functions/archive/configured-rule.ts';
import { configuredJob } from '#functions/run/configured-job.ts';

const deps = {
  configuration: { jobs: [{ name: 'nightly' }, { name: 'weekly' }], archives: [{ name: 'uploads' }] },
} as unknown as Dependencies;

test('a name that is not configured is answered with the one that is probably meant', () => {
  expect(() => configuredJob(deps, 'nigtly')).toThrow(
    expect.objectContaining({ status: 404, hint: 'Did you mean "nightly"? The jobs are: nightly, weekly' }),
  );
  expect(() => configuredJob(deps, 'x')).toThrow(expect.objectContaining({ hint: 'The jobs are: nightly, weekly' }));
  expect(() => configuredRule(deps, 'upload')).toThrow(
    expect.objectContaining({ status: 404, hint: 'Did you mean "uploads"? The rules are: uploads' }),
  );
});

test('a start of an archive rule as a job is told which call reconciles it', () => {
  expect(() => configuredJob(deps, 'uploads')).toThrow(
    expect.objectContaining({
      status: 404,
      code: 'job-not-found',
      hint: expect.stringContaining('POST /api/archives/uploads/reconcile'),
    }),
  );
});
