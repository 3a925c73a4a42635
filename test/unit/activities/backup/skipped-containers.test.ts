import { expect, test } from 'vitest';
import { shownPoint } from '#functions/restore-points/shown-restore-point.ts';
import { refusal } from '../../../../prove/memory/memory-account.ts';
import { Vault } from '../../../support/builders/prune-vault.ts';

test('a retry lacks the containers that the run before it skipped, and says so, as often as it is repeated', async () => {
  const room = new Vault();
  const long = `tenant-${'x'.repeat(56)}`;
  room.jobs = [{ ...room.jobs[0]!, source: { ...room.jobs[0]!.source, containers: ['*'] } }];
  room.source.createContainer(long);
  room.put('in-long', 'x', long);
  for (const name of ['a', 'b']) room.put(name, name);
  const failing = (names: RegExp) => {
    room.before = ({ account, operation, name = '' }) => {
      if (account === 'VAULT' && /^CopyBlob/.test(operation) && names.test(name))
        throw refusal('leased', 412, 'Leased');
    };
  };
  failing(/^[ab]$/);
  let run = await room.backup();
  for (const names of [/^a$/, /^$/]) {
    failing(names);
    run = await room.run({ mode: 'retry', retryOf: run.id });
    expect(run.problems.filter(({ code }) => code === 'container-skipped')).toMatchObject([{ container: long }]);
    expect(shownPoint(run, {}).lacks).toMatchObject({ containers: [long], failed: names.test('a') ? 1 : 0 });
  }
  expect(run.status).toBe('succeeded');
});
