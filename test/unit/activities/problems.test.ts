import { expect, test } from 'vitest';
import type { Dependencies } from '../../../src/activities/dependencies.ts';
import { makeActivities } from '../../../src/activities/index.ts';
import type { RunRef } from '../../../src/domain/run.ts';

test('I9: what an activity answers about a failure holds no signature, whoever worded it', async () => {
  const deps = {
    configuration: { jobs: [{ name: 'nightly', destination: { account: 'VAULT' } }] },
    telemetry: { failure: () => {} },
    blobs: () => {
      throw new TypeError('Invalid URL: https://acct.blob.core.windows.net/a?sv=2026&sig=c2VjcmV0');
    },
  } as unknown as Dependencies;
  const run: RunRef = {
    id: 'nightly-20260502T000000Z-aaaaaa',
    job: 'nightly',
    mode: 'full',
    trigger: 'http',
    dryRun: false,
    startedAt: '2026-05-02T00:00:00.000Z',
    epoch: 1,
  };
  const { problem } = await makeActivities(deps).listContainers({ run });
  expect(problem).toMatchObject({ code: 'internal', count: 0 });
  expect(problem?.message).toContain('Invalid URL');
  expect(JSON.stringify(problem)).not.toContain('c2VjcmV0');
});
