import { expect, test } from 'vitest';
import { noteMissedStarts } from '#app/missed-start-notes.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { jobOf, Vault } from '../../support/builders/prune-vault.ts';

/** A vault whose jobs each missed one start. */
function room(...jobs: string[]) {
  const vault = new Vault();
  vault.jobs = jobs.map((name) => jobOf(name, {}));
  for (const job of [...jobs, 'removed']) {
    const at = '2026-05-01T00:00:00.000Z';
    vault.missedStarts.set(job, { id: job, job, what: 'backup', due: at, at, code: 'unreachable' });
  }
  return vault;
}

test('a vault that does not answer is asked once, however many starts it has missed', async () => {
  const vault = room('first', 'second', 'third');
  const requests: string[] = [];
  vault.before = ({ operation }) => {
    requests.push(operation);
    throw new StorageError('unreachable', 'no connection', 0, 'ETIMEDOUT');
  };
  await noteMissedStarts(vault.deps());
  expect(requests).toHaveLength(1);
  expect([...vault.missedStarts.keys()]).toEqual(['first', 'second', 'third']);
});

test('all starts are noted when it answers, and those of a job that was removed are forgotten', async () => {
  const vault = room('first', 'second');
  await noteMissedStarts(vault.deps());
  expect(vault.missedStarts.size).toBe(0);
  const { jobs } = await new WatchStore(vault.deps().blobs('VAULT')).readMissed();
  expect(Object.keys(jobs)).toEqual(['first', 'second']);
});
