import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, expect, test, vi } from 'vitest';
import { appendEntry } from '#app/append-to-chain.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { summaryPath } from '#domain/run/control-paths.ts';
import type { RunSummary } from '#domain/run/run.ts';
import type { Condition } from '#domain/watch/conditions.ts';
import { healthDetailsHandler } from '#functions/health.ts';
import { rebuildCatalogHandler } from '#functions/rebuild-catalog.ts';
import { listRestorePointsHandler } from '#functions/restore-points/list-restore-points.ts';
import { measuresOfVault } from '#functions/watch/measures-of-vault.ts';
import { overviewHandler } from '#functions/watch/overview.ts';
import { watchHandler } from '#functions/watch/watch.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { httpRequest } from '../../support/builders/http-request.ts';
import { Vault } from '../../support/builders/prune-vault.ts';

vi.stubGlobal('STRONGROOM_VERSION', '0');

let vault: Vault;
let deps: Dependencies;
let older: RunSummary;
let newest: RunSummary;
/** `open damaged/point/nightly` and the like. */
let changes: string[];
let opened: Condition[];

beforeEach(async () => {
  vault = new Vault();
  changes = [];
  opened = [];
  const given = vault.deps();
  deps = {
    ...given,
    configuration: {
      ...given.configuration,
      accounts: new Map(['SOURCE', 'VAULT'].map((alias) => [alias, {}])),
      notify: { every: '0 */5 * * * *', channels: [], send: [], pings: new Map(), severity: {}, names: true },
    },
    limits: { ...given.limits, sharedMs: 0 },
    telemetry: {
      ...given.telemetry,
      watchPassed: () => {},
      conditionChanged: (to: string, condition: Condition) => {
        changes.push(`${to} ${condition.id}`);
        if (to === 'open') opened.push(condition);
      },
    },
    notifier: { send: async () => {}, ping: async () => {} },
  } as unknown as Dependencies;
  vault.put('a', 'text');
  older = await vault.backup();
  vault.put('a', 'other text');
  newest = await vault.backup();
  for (const summary of [older, newest]) await deps.catalog('VAULT').put(catalogRowOf(summary));
});

type Handler = (deps: Dependencies) => (...args: never[]) => Promise<{ status?: number; body?: unknown }>;

async function ask(handler: Handler) {
  const client = { getStatus: async () => undefined } as unknown as DurableClient;
  const call = handler(deps) as unknown as (...args: unknown[]) => ReturnType<ReturnType<Handler>>;
  const { body } = await call(httpRequest(), client, { functionName: 'f' } as InvocationContext);
  return JSON.parse(String(body));
}

/** The parts of its manifest, its row and its record stay. */
const lose = ({ id, job }: RunSummary) => vault.vault.remove('strongroom', summaryPath({ id, job }));

const DAMAGED = { code: 'damaged', message: expect.stringContaining('its summary is missing') };

test('a restore point whose summary alone is gone shows as damaged wherever it is listed', async () => {
  const job = async () => (await ask(overviewHandler)).jobs[0];
  expect((await job()).restorePoint).not.toHaveProperty('problem');
  lose(newest);
  expect((await ask(listRestorePointsHandler)).restorePoints).toMatchObject([
    { id: newest.id, blobs: null, problem: DAMAGED },
    { id: older.id, blobs: 1 },
  ]);
  expect(await job()).toMatchObject({
    severity: 'critical',
    size: null,
    restorePoint: { id: newest.id, blobs: null, problem: DAMAGED },
  });
  expect((await ask(healthDetailsHandler)).jobs).toMatchObject([{ problem: DAMAGED }]);
});

test('a list asks for the summary of the newest restore point alone', async () => {
  const asked: (string | undefined)[] = [];
  vault.before = ({ operation, name }) => {
    if (/Properties/.test(operation)) asked.push(name);
  };
  expect((await ask(listRestorePointsHandler)).restorePoints).toHaveLength(2);
  expect(asked).toEqual([summaryPath(newest)]);
});

test('its severity is that of the configuration, in the overview and in metrics', async () => {
  const { configuration } = deps;
  deps = {
    ...deps,
    configuration: { ...configuration, notify: { ...configuration.notify, severity: { damaged: 'info' } } },
  };
  lose(newest);
  expect((await ask(overviewHandler)).jobs[0].severity).toBe('info');
  const measures = await measuresOfVault(deps)(
    { getStatus: async () => undefined } as unknown as DurableClient,
    'VAULT',
  );
  expect(measures!.conditions).toMatchObject([{ condition: 'damaged', severity: 'info' }]);
});

test('the watch reports it until it is back, or stated to be lost', async () => {
  const body = Buffer.from(JSON.stringify(newest));
  lose(newest);
  await watchHandler(deps)();
  expect(changes).toEqual(['open damaged/point/nightly']);
  expect(opened[0]).toMatchObject({
    severity: 'critical',
    run: newest.id,
    hint: expect.stringContaining(`POST /api/restore-points/${newest.id}/forget`),
  });
  vault.vault.write('strongroom', { name: summaryPath(newest), body });
  await watchHandler(deps)();
  expect(changes.at(-1)).toBe('closed damaged/point/nightly');
  lose(newest);
  await watchHandler(deps)();
  await appendEntry(deps, deps.blobs('VAULT'), 'nightly', { kind: 'forget', point: newest.id });
  await watchHandler(deps)();
  expect(changes.slice(2)).toEqual(['open damaged/point/nightly', 'closed damaged/point/nightly']);
  expect((await ask(healthDetailsHandler)).jobs).toMatchObject([{ problem: null }]);
});

test('a rebuild names every restore point on record without a summary, not the newest only', async () => {
  for (const each of [older, newest]) lose(each);
  const { runs, damaged } = await ask(rebuildCatalogHandler);
  expect(runs).toBe(0);
  expect(damaged.sort()).toEqual([older, newest].map(({ id }) => expect.stringContaining(`${id} is on record`)));
  // What an operator has stated to be lost is not named any more, though parts of it are still there.
  await appendEntry(deps, deps.blobs('VAULT'), 'nightly', { kind: 'forget', point: older.id });
  expect((await ask(rebuildCatalogHandler)).damaged).toEqual([expect.stringContaining(newest.id)]);
});
