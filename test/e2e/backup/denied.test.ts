import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';
import { isCopy, type ProxiedRequest } from '../../support/faults/fault-proxy.ts';

const bed = useTestBed();

/** The service refuses to read these copy sources, or to write these blobs, as a condition on their paths does. */
function deny(match: (request: ProxiedRequest) => boolean): void {
  const code = { 'x-ms-error-code': 'CannotVerifyCopySource' };
  const source = {
    'x-ms-copy-source-status-code': '403',
    'x-ms-copy-source-error-code': 'AuthorizationPermissionMismatch',
  };
  bed.proxy.rules.push({ match, answer: () => ({ status: 403, headers: { ...code, ...source }, body: '' }) });
}

test('F18, I1: blobs that may not be read keep no others unprotected, and cost few requests later', async () => {
  await bed.fill(200);
  const isHidden = ({ path }: ProxiedRequest) => Number(/blob-(\d+)$/.exec(path)?.[1]) < 150;
  deny((request) => isCopy(request) && isHidden(request));
  const app = await bed.start({ limits: { copiesAtOnce: 4 } });
  const report = await app.run();
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { copied: 50, failed: 150 } });
  const failed = await app.outcomes(report.id, 'status=failed');
  expect(failed).toHaveLength(150);
  // Nothing is left untried while anything is served.
  for (const { code, message } of failed) {
    expect(code).toBe('access-denied-copy-source');
    expect(message).not.toMatch(/Not tried/);
  }

  const before = bed.proxy.requests.filter(isCopy).length;
  const again = await app.run({ mode: 'incremental' });
  expect(again.counts).toMatchObject({ unchanged: 50, copied: 0, failed: 150 });
  expect(bed.proxy.requests.filter(isCopy).length - before).toBeLessThan(60);
});
