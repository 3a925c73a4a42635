import { describe, expect, it, test } from 'vitest';
import {
  type ChainEntry,
  chainLineOf,
  chainRecordOf,
  hasRecord,
  isChainLine,
  restorePointRecord,
  verificationRecord,
} from '#domain/run/chain-record.ts';
import type { RunSummary } from '#domain/run/run.ts';

const POINT = 'nightly-20260501T000000Z-pppppp';
const RUN = 'nightly-20260502T000000Z-rrrrrr';
const SUMMARY = { path: `jobs/nightly/runs/${RUN}/run.json`, sha256: 'ab' };

const part = (container: string, copied: number, unchanged: number) => ({
  ...{ path: `${container}/part`, container, destination: `${container}backup`, sha256: '' },
  ...{ copied, unchanged, skipped: 100, failed: 100 },
});
const summary = { id: RUN, status: 'completed-with-failures' } as RunSummary;

describe('the record of a restore point', () => {
  it('counts what it holds: blobs and entities on their own, and nothing that was skipped or failed', () => {
    const parts = [part('images', 1, 2), part('docs', 3, 0), part('table.orders', 10, 20)];
    expect(restorePointRecord({ ...summary, parts }, SUMMARY, {})).toStrictEqual({
      ...{ kind: 'restore-point', run: RUN, status: 'completed-with-failures', summary: SUMMARY },
      ...{ parts: 3, held: { blobs: 6, entities: 30 } },
    });
  });

  it('says why the safety brake is engaged', () => {
    const brake = { reason: 'images: 9 of 10 blobs changed or lost', containers: ['images'] };
    const record = restorePointRecord({ ...summary, parts: [] }, SUMMARY, { brake });
    expect(record).toMatchObject({ parts: 0, held: { blobs: 0, entities: 0 }, brake: brake.reason });
  });
});

test('the record of a verification says what it proves, of which restore point, and what it did not read', () => {
  const proof = { run: RUN, at: '2026-05-02T00:01:00.000Z', items: 100, read: 7, failed: 1 };
  const deep = verificationRecord(POINT, { ...proof, kind: 'deep', portion: '5%' }, SUMMARY);
  expect(deep).toStrictEqual({
    ...{ kind: 'verification', run: RUN, point: POINT, verify: 'deep', portion: '5%' },
    ...{ items: 100, read: 7, failed: 1, summary: SUMMARY },
  });
  expect(verificationRecord(POINT, { ...proof, kind: 'quick' }, SUMMARY)).not.toHaveProperty('portion');
});

test('a link has its format, its place in the chain and everything of its entry', () => {
  const entry: ChainEntry = { kind: 'unhold', point: POINT, ends: '2026-05-01T08:00:00.000Z' };
  const link = { job: 'nightly', number: 2, previous: 'cd', at: '2026-05-02T00:01:00.000Z' };
  expect(chainRecordOf(entry, { ...link, more: 'x' } as typeof link)).toStrictEqual({ format: 1, ...link, ...entry });
});

describe('the line by which a listing finds a record', () => {
  const run = { run: RUN, summary: SUMMARY };
  it.each<[ChainEntry, ReturnType<typeof chainLineOf>]>([
    [
      { kind: 'restore-point', ...run, status: 'succeeded', parts: 1, held: { blobs: 1, entities: 0 } },
      { kind: 'restore-point', run: RUN, sha256: SUMMARY.sha256 },
    ],
    [
      { kind: 'verification', ...run, point: POINT, verify: 'quick', items: 1, read: 0, failed: 0 },
      { kind: 'verification', run: RUN, sha256: SUMMARY.sha256, point: POINT, verify: 'quick' },
    ],
    [
      { kind: 'hold', point: POINT, hold: { at: '2026-05-02T00:00:00.000Z', reason: 'audit' } },
      { kind: 'hold', point: POINT, at: '2026-05-02T00:00:00.000Z' },
    ],
    [
      { kind: 'release', point: POINT, reason: 'planned', released: '2026-05-02T00:00:00.000Z' },
      { kind: 'release', point: POINT },
    ],
  ])('%j', (entry, line) => {
    expect(chainLineOf(entry)).toStrictEqual(line);
    expect(isChainLine(line)).toBe(true);
  });

  it.each([
    null,
    undefined,
    'hold',
    [],
    {},
    { run: RUN },
    { kind: 1 },
    { kind: 'hold', run: 1 },
    { kind: 'hold', run: null },
  ])('is not %j', (value) => {
    expect(isChainLine(value)).toBe(false);
  });
});

describe('the chain has a record of', () => {
  const ended = (more: Partial<RunSummary>) => ({ mode: 'incremental', restorePoint: false, ...more }) as RunSummary;
  const verify = { point: POINT, kind: 'quick' } as NonNullable<RunSummary['verify']>;
  const plan = { path: 'prune.json', sha256: 'ef' };
  it.each<[string, boolean, RunSummary]>([
    ['a backup that left a restore point', true, ended({ restorePoint: true })],
    ['no backup that left none', false, ended({})],
    ['a verification', true, ended({ mode: 'verify', verify })],
    ['a prune that has planned', true, ended({ mode: 'prune', prune: { plan } as never })],
    ['no prune that ended before it planned', false, ended({ mode: 'prune', prune: {} as never })],
    ['no restore', false, ended({ mode: 'restore', restorePoint: true })],
  ])('%s', (_what, expected, of) => {
    expect(hasRecord(of)).toBe(expected);
  });
});
