import { expect, test } from 'vitest';
import { makeActivities } from '#activities/index.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { RUN } from '../../support/builders/run-ref.ts';

test('I9: the answer of an activity about a failure holds no signature, whatever the error says', async () => {
  const deps = {
    configuration: { jobs: [{ name: 'nightly', destination: { account: 'VAULT' } }], archives: [] },
    telemetry: { failure: () => {} },
    blobs: () => {
      throw new TypeError('Invalid URL: https://acct.blob.core.windows.net/a?sv=2026&sig=c2VjcmV0');
    },
  } as unknown as Dependencies;
  const { problem } = await makeActivities(deps).listContainers({ run: RUN });
  expect(problem).toMatchObject({ code: 'internal', count: 0 });
  expect(problem?.message).toContain('Invalid URL');
  expect(JSON.stringify(problem)).not.toContain('c2VjcmV0');
});
