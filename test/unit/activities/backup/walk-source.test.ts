import { expect, test } from 'vitest';
import { Vault } from '../../../support/builders/prune-vault.ts';

test.each([
  ['nightly', 'being-restored'],
  ['weekly', 'other-vault'],
])('a source blob with a record of the job %s is reported as %s', async (job, code) => {
  const vault = new Vault();
  const metadata = {
    ...{ strongroom_etag: 'x1', strongroom_modified: '2026-05-01T00:00:00.000Z' },
    strongroom_run: `${job}-20260501T000000Z-aaaaaa`,
  };
  vault.source.write('data', { name: 'a', body: Buffer.from('a'), metadata });
  vault.put('b', 'b');
  const summary = await vault.backup();
  expect(summary.problems).toMatchObject([{ code, count: 1 }]);
});
