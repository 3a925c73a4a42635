import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inTime } from '#functions/http/in-time.ts';
import { StorageError } from '#storage/storage-error.ts';

test('an answer in time is the answer, and so is a failure', async () => {
  expect(await inTime(1_000, 'VAULT', Promise.resolve(1))).toBe(1);
  const refused = Promise.reject(new StorageError('access-denied', 'no', 403));
  await expect(inTime(1_000, 'VAULT', refused)).rejects.toMatchObject({ kind: 'access-denied' });
});

test('what comes too late is out of reach, and its failure is for no one', async () => {
  const late = sleep(30).then(() => {
    throw new Error('late');
  });
  await expect(inTime(5, 'VAULT', late)).rejects.toMatchObject({
    kind: 'unreachable',
    message: expect.stringContaining('VAULT'),
  });
  await sleep(60);
});
