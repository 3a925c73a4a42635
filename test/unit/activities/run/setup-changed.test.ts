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

test('I1: a run whose job was removed ends at once, and says so', async () => {
  const vault = new Vault();
  vault.put('a', 'content');
  const run = await vault.begin({ mode: 'full' });
  run.setup = runSetup(vault.deps(), run);
  vault.jobs = [jobOf('another', {})];
  expect(await vault.work(run)).toMatchObject({
    status: 'failed',
    restorePoint: false,
    problems: [{ code: 'setup-changed', message: expect.stringContaining('no longer has it') }],
  });
  expect((await vault.control.readLock('nightly'))?.value.run).toBeNull();
});

test('I5: a prune whose policy changed deletes nothing more, and says so', async () => {
  const vault = new Vault();
  const keeping = (keepLast: number) =>
    jobOf('nightly', { retention: { keepLast, marginHours: 0, brake: { percent: 100, blobs: 100, days: 30 } } });
  vault.jobs = [keeping(1)];
  for (const content of ['one', 'two', 'three']) {
    vault.put('a', content);
    await vault.backup();
  }
  const plan = await vault.plan();
  expect(plan.plan!.remove).toHaveLength(2);
  const run = await vault.begin({ mode: 'prune', prune: { plan: { run: plan.id, hash: plan.plan!.hash } } });
  run.setup = runSetup(vault.deps(), run);
  const before = vault.contents();
  vault.jobs = [keeping(100)];
  expect(await vault.work(run)).toMatchObject({ status: 'failed', problems: [{ code: 'setup-changed' }] });
  expect(vault.contents()).toEqual(before);
});
