import { expect, test } from 'vitest';
import { runSetup } from '#app/run-setup.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';

test('I1: a run whose selection changed after it had copied leaves no restore point', async () => {
  const vault = new Vault();
  vault.put('a', 'content');
  const run = await vault.begin({ mode: 'full' });
  run.setup = runSetup(vault.deps(), run);
  vault.jobs = [jobOf('nightly', { source: { ...jobOf('', {}).source, exclude: ['*.tmp'] } })];
  expect(await vault.work(run)).toMatchObject({
    status: 'failed',
    restorePoint: false,
    problems: [{ code: 'setup-changed' }],
  });
  expect(vault.vault.listContainers('').names).toEqual([CONTROL_CONTAINER]);
});
