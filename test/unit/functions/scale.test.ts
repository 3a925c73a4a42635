import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeAll, expect, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { type ChainEntry, chainLineOf, chainRecordOf } from '#domain/run/chain-record.ts';
import { CONTROL_CONTAINER, chainPath, summaryPath } from '#domain/run/control-paths.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { tryRetentionHandler } from '#functions/prune/try-retention.ts';
import { listRestorePointsHandler } from '#functions/restore-points/list-restore-points.ts';
import { listRunsHandler } from '#functions/run/list-runs.ts';
import { overviewHandler } from '#functions/watch/overview.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { MemoryCatalog, type Rows } from '../../../prove/memory/memory-catalog.ts';
import { httpRequest } from '../../support/builders/http-request.ts';
import { jobOf, Vault } from '../../support/builders/prune-vault.ts';

/**
 * A vault of a year and more: a backup and a verification every two hours. Lists cost what they show, and one request
 * for thousands of what is there.
 */

const RUNS = 10_000;
const POINTS = RUNS / 2;
const HOUR = 3_600_000;

const vault = new Vault();
const rows: Rows = new Map();
let deps: Dependencies;
let requests: string[] = [];

/** It takes seconds to sort what is in memory. */
const SLOW = { tags: ['slow'] };
const sha256 = 'a'.repeat(64);

function keep(summary: RunSummary): void {
  rows.set(summary.id, catalogRowOf(summary));
  const body = Buffer.from(JSON.stringify(summary));
  vault.vault.write(CONTROL_CONTAINER, { name: summaryPath(summary), body });
}

function record(number: number, entry: ChainEntry): void {
  const before = number > 1 ? sha256 : null;
  const body = Buffer.from(JSON.stringify(chainRecordOf(entry, { job: 'nightly', number, previous: before, at: '' })));
  const metadata = { strongroom_chain: JSON.stringify(chainLineOf(entry)) };
  vault.vault.write(CONTROL_CONTAINER, { name: chainPath('nightly', number), body, metadata });
}

beforeAll(async () => {
  vault.jobs = [jobOf('nightly', { schedule: '0 0 * * * *' })];
  vault.put('a', 'text');
  const last = await vault.backup();
  keep(last);
  const own = vault.chain().length;
  for (let index = 1; index < RUNS; index++) {
    const startedAt = new Date(Date.parse(last.startedAt) - index * HOUR).toISOString();
    const id = `nightly-${startedAt.replace(/[-:]|\.\d+/g, '')}-${String(index).padStart(6, '0')}`;
    const isPoint = index % 2 === 0;
    const mode = isPoint ? 'incremental' : 'verify';
    keep({ ...last, id, startedAt, finishedAt: startedAt, mode, restorePoint: isPoint } as RunSummary);
    if (isPoint) record(own + index, { kind: 'restore-point', run: id, summary: { path: '', sha256 } } as ChainEntry);
    else
      record(own + index, {
        kind: 'verification',
        run: id,
        point: last.id,
        verify: 'quick',
        summary: { path: '', sha256 },
      } as ChainEntry);
  }
  const given = vault.deps();
  vault.before = ({ operation }) => requests.push(operation);
  deps = {
    ...given,
    configuration: {
      ...given.configuration,
      notify: { every: '0 */5 * * * *', channels: [], send: [], pings: new Map(), severity: {}, names: true },
    },
    limits: { ...given.limits, sharedMs: 0 },
    catalog: (alias: string) => new MemoryCatalog(alias, rows, undefined, () => requests.push('QueryEntities')),
  } as unknown as Dependencies;
});

type Handler = (deps: Dependencies) => ReturnType<typeof overviewHandler>;

async function ask(
  handler: ReturnType<Handler>,
  query: Record<string, string> = {},
  params: Record<string, string> = {},
) {
  requests = [];
  const client = { getStatus: async () => undefined } as unknown as DurableClient;
  const answer = await handler(httpRequest({ query, params }), client, {} as InvocationContext);
  const text = String(answer.body);
  expect(answer.status, text.slice(0, 500)).toBe(200);
  return { body: JSON.parse(text), sent: requests, size: text.length };
}

test('a page of runs', async () => {
  const handler = listRunsHandler(deps);
  let cursor: string | undefined;
  for (let page = 0; page < 3; page++) {
    const { body, sent, size } = await ask(handler, { limit: '500', ...(cursor !== undefined && { cursor }) });
    expect(body.runs).toHaveLength(500);
    expect(body.problems).toBeUndefined();
    expect(sent.length, sent.join()).toBeLessThan(10);
    expect(size).toBeLessThan(1_000_000);
    cursor = body.next;
  }
});

test('runs of which there are few', async () => {
  const { body, sent } = await ask(listRunsHandler(deps), { limit: '50', mode: 'prune' });
  expect(body.runs).toHaveLength(0);
  expect(sent.length, sent.join()).toBeLessThan(10);
});

test('a page of restore points', SLOW, async () => {
  const handler = listRestorePointsHandler(deps);
  let cursor: string | undefined;
  for (let page = 0; page < 2; page++) {
    const { body, sent, size } = await ask(handler, { limit: '200', ...(cursor !== undefined && { cursor }) });
    expect(body.restorePoints.length).toBeGreaterThan(150);
    expect(body.problems).toBeUndefined();
    expect(sent.length, sent.join()).toBeLessThan(30);
    expect(size).toBeLessThan(1_000_000);
    cursor = body.next;
  }
});

test('the overview', async () => {
  const handler = overviewHandler(deps);
  const { body, size } = await ask(handler);
  expect(body.jobs).toMatchObject([{ name: 'nightly', restorePoint: { blobs: 1 } }]);
  expect(size).toBeLessThan(20_000);
  const { sent } = await ask(handler);
  expect(sent.length, sent.join()).toBeLessThan(15);
});

test('what another policy would keep', SLOW, async () => {
  const { body, sent } = await ask(tryRetentionHandler(deps) as never, { keepDaily: '14' }, { job: 'nightly' });
  expect(body.restorePoints.length).toBeGreaterThan(100);
  expect(sent.length, sent.join()).toBeLessThan(100);
  expect(body.restorePoints.length === POINTS || !body.isComplete).toBe(true);
});
