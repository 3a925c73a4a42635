import { expect, test } from 'vitest';
import { findRestoreTasks } from '#activities/restore/find-restore-tasks.ts';
import { CONTROL_CONTAINER, sliceKey, summaryPath } from '#domain/run/control-paths.ts';
import { PartWriter } from '#domain/run/part.ts';
import { partEntries } from '#domain/run/report.ts';
import type { RestoreRef } from '#domain/run/run.ts';
import { SUMMARY_FORMAT } from '#domain/run/stored-format.ts';
import { emptyTally } from '#domain/run/tally.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import { held } from '../../../support/builders/held-run.ts';
import { HeldTable, POINT } from '../../../support/builders/held-table.ts';
import { RUN } from '../../../support/builders/run-ref.ts';

/** What a restore of a restore point of these tasks finds to do. */
async function found(tasks: string[], task: Partial<RestoreTask>) {
  const world = new HeldTable();
  for (const name of tasks) {
    await world.control.writePart(
      held(POINT),
      'slice',
      sliceKey(0),
      new PartWriter(),
      emptyTally(name, `${name}old`),
      {},
    );
  }
  const parts = partEntries(await world.control.listParts(POINT));
  const summary = {
    ...{
      format: SUMMARY_FORMAT,
      ...POINT,
      mode: 'full',
      status: 'succeeded',
      restorePoint: true,
      source: 'https://source.test',
      compared: [],
    },
    ...{ counts: {}, bytes: {}, containers: [], problems: [], parts, destination: { container: 'x', prefix: '' } },
  };
  const body = Buffer.from(JSON.stringify(summary));
  world.vault.putObject(CONTROL_CONTAINER, summaryPath(POINT), body, { contentType: 'text/plain' });
  const destination = { account: 'VAULT', container: '{container}backup', prefix: '' };
  Object.assign(world.deps.configuration, {
    jobs: [{ name: RUN.job, source: { account: 'SOURCE', containers: ['*'] }, destination }],
    archives: [
      {
        ...{ name: 'uploads', source: { account: 'SOURCE', container: 'incoming' } },
        destination: { account: 'SOURCE', container: '{container}archive', prefix: '' },
      },
    ],
  });
  const restore = {
    ...{ point: POINT.id, account: 'SOURCE', container: '{container}', prefix: '', table: '{table}' },
    ...{ containers: [], tables: [], startsWith: '', include: [], exclude: [], existing: 'fail', original: true },
    ...task,
  } as RestoreTask;
  const { containers, problems } = await findRestoreTasks(world.deps, {
    ...RUN,
    mode: 'restore',
    restore,
  } as RestoreRef);
  return {
    restored: containers.map(({ destination }) => destination),
    refused: problems.map(({ code, container }) => [code, container]),
  };
}

test('I10: a restore leaves out what it may not write to, reports it, and restores the rest', async () => {
  const tasks = ['azure-webjobs-x', 'images', 'incomingarchive', 'table.azurewebjobsx', 'table.orders'];
  expect(await found(tasks, {})).toEqual({
    restored: ['images', 'orders'],
    refused: ['azure-webjobs-x', 'incomingarchive', 'table.azurewebjobsx'].map((name) => ['target-protected', name]),
  });
});

test('I10: a retry of a restore does not write to what became a backup container or an archive since', async () => {
  const into = (container: string, account = 'VAULT') => found(['images'], { account, container, original: false });
  const refused = { restored: [], refused: [['target-protected', 'images']] };
  expect(await into('{container}backup')).toEqual(refused);
  expect(await into('{container}old')).toEqual(refused);
  expect(await into('strongroom')).toEqual(refused);
  expect(await into('strongroom', 'SOURCE')).toEqual(refused);
  expect(await into('{container}-restored')).toEqual({ restored: ['images-restored'], refused: [] });
});
