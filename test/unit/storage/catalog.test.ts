import { describe, expect, it } from 'vitest';
import type { Problem } from '#domain/run/problems.ts';
import { problemOf, worstOf } from '#domain/run/problems.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { catalogRowOf, isChosenRow, startedRow } from '#storage/catalog.ts';
import { RUN, runRef } from '../../support/builders/run-ref.ts';

const POINT = 'nightly-20260501T000000Z-pppppp';
const PART = { path: 'p', destination: 'x', sha256: '', copied: 2, unchanged: 3, skipped: 1, failed: 1 };

function summary(more: Partial<RunSummary> = {}): RunSummary {
  return {
    ...{ ...RUN, format: 3, status: 'succeeded', finishedAt: '2026-05-02T00:01:02.345Z', restorePoint: true },
    ...{ counts: { listed: 7 }, bytes: { listed: 70, copied: 20 }, requests: { ListBlobs: 2, PutBlob: 3 } },
    ...{ containers: [], problems: [], parts: [], compared: [] },
    ...more,
  } as unknown as RunSummary;
}

describe('the row of a run', () => {
  it('says how long it took, what it cost, and what its restore point holds', () => {
    const containers = [
      { container: 'lost', status: 'failed' },
      { container: 'table.gone', status: 'failed' },
    ];
    const parts = [
      { ...PART, container: 'images' },
      { ...PART, container: 'table.orders' },
    ];
    const row = catalogRowOf(summary({ containers, parts } as unknown as Partial<RunSummary>));
    expect(row).toMatchObject({ seconds: 62.3, requests: 5, problems: 0 });
    const lacks = { skipped: 1, failed: 2, containers: ['lost'], tables: ['gone'] };
    expect(row.point).toEqual({ containers: 1, blobs: 5, tables: 1, entities: 5, bytes: 70, lacks });
    expect(catalogRowOf(summary({ restorePoint: false })).point).toBeUndefined();
  });

  it('names the worst problem, and counts all', () => {
    const problems = [
      problemOf('pattern-unmatched', 0),
      problemOf('source-vanished', 9, 'images'),
      problemOf('destination-leased', 3, 'images'),
      problemOf('container-not-found', 0, 'docs', 'x'.repeat(5000)),
    ];
    const { problem, problems: count } = catalogRowOf(summary({ problems }));
    expect(problem).toMatchObject({ code: 'container-not-found', container: 'docs', count: 0 });
    expect(problem!.message.length).toBeLessThan(1100);
    expect(problem).not.toHaveProperty('hint');
    expect(count).toBe(4);
    expect(worstOf(problems.slice(0, 3))!.code).toBe('destination-leased');
    expect(worstOf(problems.slice(0, 2))!.code).toBe('source-vanished');
    const brake = problemOf('brake-engaged', 0, 'images');
    expect(worstOf([brake, ...problems.slice(0, 2)])!.code).toBe('source-vanished');
    expect(worstOf([problemOf('pattern-unmatched', 0), brake])!.code).toBe('brake-engaged');
  });

  it('is made of a summary of another version', () => {
    const strange = { problems: [{ code: 'of-later', count: 1 }] as unknown as Problem[], requests: undefined };
    expect(catalogRowOf(summary(strange as unknown as Partial<RunSummary>))).toMatchObject({
      problem: { code: 'of-later' },
      requests: 0,
    });
  });

  it('says what was asked, from the start on, and never a name of a blob', () => {
    const restore = {
      ...{ point: POINT, account: 'SOURCE', container: '{container}', prefix: '', table: '{table}' },
      ...{ existing: 'fail' as const, containers: ['images'], tables: [], startsWith: 'secret/', original: true },
      ...{ include: [], exclude: [], names: ['secret/a', 'secret/b'] },
    };
    const row = startedRow(runRef({ mode: 'restore', restore, retryOf: 'earlier' }));
    expect(row).toMatchObject({ status: 'running', retryOf: 'earlier', restore: { point: POINT, names: 2 } });
    expect(JSON.stringify(row)).not.toContain('secret');
    const verify = { point: POINT, kind: 'deep' as const, portion: '5%', turn: 0, sample: 0 };
    expect(startedRow(runRef({ mode: 'verify', verify, follows: 'backup' } as never))).toMatchObject({
      follows: 'backup',
      verify: { point: POINT, kind: 'deep' },
    });
    expect(startedRow(runRef({ mode: 'prune', prune: {} })).prune).toEqual({ plan: null });
    const prune = { plan: { run: 'planned', hash: 'h' } };
    expect(startedRow(runRef({ mode: 'prune', prune })).prune).toEqual({ plan: 'planned' });
  });
});

describe('a choice of rows', () => {
  const row = startedRow(RUN);
  it.each([
    [{}, true],
    [{ job: 'nightly', modes: ['full', 'incremental'], statuses: ['running'], trigger: 'http', dryRun: false }, true],
    [{ job: 'weekly' }, false],
    [{ modes: ['full'] }, false],
    [{ statuses: ['failed'] }, false],
    [{ trigger: 'timer' }, false],
    [{ dryRun: true }, false],
    [{ from: new Date(RUN.startedAt), to: new Date(RUN.startedAt) }, true],
    [{ from: new Date(Date.parse(RUN.startedAt) + 1) }, false],
    [{ to: new Date(Date.parse(RUN.startedAt) - 1) }, false],
  ])('%j', (choice, isChosen) => {
    expect(isChosenRow(row, choice)).toBe(isChosen);
  });
});
