import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobState } from '#domain/blobs/blob.ts';
import { type Decision, decide, isWhole } from '#domain/copying/decision.ts';
import { readRecord, recordOf, type SourceRecord, withRecord } from '#domain/copying/record.ts';
import { anyBlobState, blobState } from '../../../support/builders/blob-state.ts';

const RUN = 'nightly-20260502T000000Z-aaaaaa';
const EARLIER = 'nightly-20260501T000000Z-bbbbbb';
const source = blobState();

function backupOf(of: BlobState, record: Partial<SourceRecord> = {}, more: Partial<BlobState> = {}): BlobState {
  const metadata = withRecord({}, { ...recordOf(of, EARLIER), ...record })!;
  return blobState({ etag: '0xV', size: of.size, type: of.type, metadata, ...more });
}

const copy = (status: 'pending' | 'success' | 'aborted' | 'failed') => ({ copy: { id: 'c1', status } });

describe('the table, row by row', () => {
  const rows: [what: string, of: BlobState, backup: BlobState | undefined, incremental: Decision, full?: Decision][] = [
    ['nothing in the backup container', source, undefined, { action: 'copy', reason: 'new' }],
    [
      'F36: a pending copy of this version',
      source,
      backupOf(source, {}, copy('pending')),
      { action: 'adopt', copyId: 'c1' },
    ],
    [
      'F36: a pending copy of another version',
      source,
      backupOf(source, { etag: '0x0' }, copy('pending')),
      { action: 'abort', copyId: 'c1' },
    ],
    [
      'F36: a pending copy that someone else started',
      source,
      blobState({ ...copy('pending') }),
      { action: 'abort', copyId: 'c1' },
    ],
    [
      'F3: what a failed copy of this version left',
      source,
      backupOf(source, {}, copy('failed')),
      { action: 'copy', reason: 'incomplete' },
    ],
    [
      'F3: what an aborted copy of this version left',
      source,
      backupOf(source, {}, copy('aborted')),
      { action: 'copy', reason: 'incomplete' },
    ],
    [
      'F3: what an aborted copy by another tool left',
      source,
      blobState({ size: 0, ...copy('aborted') }),
      { action: 'copy', reason: 'incomplete' },
    ],
    [
      'our record of another version',
      source,
      backupOf(source, { etag: '0x0' }),
      { action: 'copy', reason: 'changed' },
      // Told apart from what a full run copies once more: the brake counts what changed.
      { action: 'copy', reason: 'changed' },
    ],
    [
      'our record of this version',
      source,
      backupOf(source),
      { action: 'unchanged' },
      { action: 'copy', reason: 'full' },
    ],
    [
      'our record of this version, after a successful copy',
      source,
      backupOf(source, {}, copy('success')),
      { action: 'unchanged' },
      { action: 'copy', reason: 'full' },
    ],
    [
      'F3: our record of this version on content of another size',
      source,
      backupOf(source, {}, { size: 9 }),
      { action: 'copy', reason: 'incomplete' },
      { action: 'copy', reason: 'full' },
    ],
    [
      'our record of this version on a blob of another type',
      source,
      backupOf(source, {}, { type: 'append' }),
      { action: 'copy', reason: 'incomplete' },
      { action: 'copy', reason: 'full' },
    ],
    ['F28: this run’s own copy', source, backupOf(source, { run: RUN }), { action: 'done' }, { action: 'done' }],
    [
      'this run’s own copy of an older version',
      source,
      backupOf(source, { run: RUN, etag: '0x0' }),
      { action: 'copy', reason: 'changed' },
      // Told apart from what a full run copies once more: the brake counts what changed.
      { action: 'copy', reason: 'changed' },
    ],
    [
      'F5: another tool’s blob, as new as the source: clocks may differ by more',
      source,
      blobState({ etag: '0xV' }),
      { action: 'copy', reason: 'untracked' },
      { action: 'copy', reason: 'untracked' },
    ],
    [
      'another tool’s blob, older',
      source,
      blobState({ etag: '0xV', lastModified: '2026-04-30T10:00:00.000Z' }),
      { action: 'copy', reason: 'untracked' },
      { action: 'copy', reason: 'untracked' },
    ],
    [
      'another tool’s blob of another size, however much newer',
      source,
      blobState({ size: 9, lastModified: '2026-05-02T10:00:00.000Z' }),
      { action: 'copy', reason: 'untracked' },
      { action: 'copy', reason: 'untracked' },
    ],
    [
      'another tool’s blob of another type, however much newer',
      source,
      blobState({ type: 'page', lastModified: '2026-05-02T10:00:00.000Z' }),
      { action: 'copy', reason: 'untracked' },
      { action: 'copy', reason: 'untracked' },
    ],
    [
      'another tool’s blob with another MD5, a moment newer',
      blobState({ contentMd5: 'AA' }),
      blobState({ contentMd5: 'BB', lastModified: '2026-05-01T10:00:01.000Z' }),
      { action: 'copy', reason: 'untracked' },
      { action: 'copy', reason: 'untracked' },
    ],
    [
      'another tool’s blob, newer by more than clocks differ, and no MD5 to compare',
      blobState({ contentMd5: 'AA' }),
      blobState({ lastModified: '2026-05-01T10:16:00.000Z' }),
      { action: 'unchanged' },
      { action: 'copy', reason: 'untracked' },
    ],
    [
      'another tool’s blob, newer by more than clocks differ, of another MD5',
      blobState({ contentMd5: 'AA' }),
      blobState({ contentMd5: 'BB', lastModified: '2026-05-01T10:16:00.000Z' }),
      { action: 'copy', reason: 'untracked' },
      { action: 'copy', reason: 'untracked' },
    ],
    [
      'another tool’s blob with the same MD5, which a writer may set, as new as the source',
      blobState({ contentMd5: 'AA' }),
      blobState({ contentMd5: 'AA', lastModified: '2026-05-01T10:15:00.000Z' }),
      { action: 'copy', reason: 'untracked' },
      { action: 'copy', reason: 'untracked' },
    ],
    [
      'a tier set since',
      blobState({ tier: 'Cool' }),
      backupOf(source),
      { action: 'update', reason: 'tier' },
      { action: 'copy', reason: 'full' },
    ],
    [
      'an inferred tier',
      blobState({ tier: 'Hot', tierInferred: true }),
      backupOf(source),
      { action: 'unchanged' },
      { action: 'copy', reason: 'full' },
    ],
    [
      'a tier that the source no longer shows as its own: there is none to set',
      blobState({ tier: 'Hot', tierInferred: true }),
      backupOf(blobState({ tier: 'Cool' })),
      { action: 'unchanged' },
      { action: 'copy', reason: 'full' },
    ],
    [
      'F25: tags set since',
      blobState({ tags: { a: '1' }, tagCount: 1 }),
      backupOf(source),
      { action: 'update', reason: 'tags' },
      { action: 'copy', reason: 'full' },
    ],
    [
      'F25: tags removed since',
      source,
      backupOf(blobState({ tags: { a: '1' } })),
      { action: 'update', reason: 'tags' },
      { action: 'copy', reason: 'full' },
    ],
    [
      'tags that may not be read',
      blobState({ tagCount: 2 }),
      backupOf(source),
      { action: 'unchanged' },
      { action: 'copy', reason: 'full' },
    ],
    [
      'tags that may not be read any more',
      blobState({ tagCount: 1 }),
      backupOf(blobState({ tags: { a: '1' } })),
      { action: 'unchanged' },
      { action: 'copy', reason: 'full' },
    ],
    ['archived, not in the backup container', archived(), undefined, { action: 'skip', code: 'source-archived' }],
    ['archived after it was copied', archived(), backupOf(source), { action: 'unchanged' }],
    [
      'archived, and another version in the backup container',
      archived(),
      backupOf(source, { etag: '0x0' }),
      { action: 'skip', code: 'source-archived' },
    ],
    [
      'F3: archived, and only what a failed copy left',
      archived(),
      backupOf(source, {}, copy('failed')),
      { action: 'skip', code: 'source-archived' },
    ],
    ['archived, and a blob of another tool’s', archived(), blobState(), { action: 'skip', code: 'source-archived' }],
    ['a directory', blobState({ isDirectory: true }), undefined, { action: 'skip', code: 'directory' }],
    [
      'a blob that its writer marks as a directory',
      blobState({ metadata: { hdi_isfolder: 'true' } }),
      undefined,
      { action: 'copy', reason: 'new' },
    ],
  ];

  it.each(rows)('%s', (_what, of, backup, incremental, full = incremental) => {
    expect(decide(of, backup, 'incremental', RUN)).toEqual(incremental);
    expect(decide(of, backup, 'full', RUN)).toEqual(full);
  });

  function archived() {
    return blobState({ tier: 'Archive' });
  }
});

/** A backup blob that may hold anything: no record, or one of any version by any run, and any copy state. */
const anyBackup = fc
  .record({
    blob: anyBlobState,
    record: fc.option(
      fc.record({
        etag: fc.constantFrom('0x1', '0x2'),
        run: fc.constantFrom(RUN, EARLIER),
        tier: fc.constantFrom(undefined, 'Hot', 'Cool'),
        tags: fc.constantFrom(undefined, 'f00d'),
      }),
    ),
    copy: fc.constantFrom(undefined, 'pending', 'success', 'aborted', 'failed'),
  })
  .map(({ blob, record, copy: status }): BlobState => {
    const { metadata: _dropped, ...rest } = blob;
    const { tier, tags, ...base } = record ?? { etag: '', run: '' };
    const full = { ...base, modified: blob.lastModified, ...(tier && { tier }), ...(tags && { tags }) };
    return {
      ...rest,
      ...(record && { metadata: withRecord({}, full)! }),
      ...(status && copy(status as 'pending')),
    };
  });

const anyCase = fc.record({
  of: anyBlobState,
  backup: fc.option(anyBackup, { nil: undefined }),
  mode: fc.constantFrom('full' as const, 'incremental' as const),
});

describe('whatever the two sides are', () => {
  it('F3: a blob is backed up only if its copy is complete and of this version, or of another tool and surely newer', () => {
    fc.assert(
      fc.property(anyCase, ({ of, backup, mode }) => {
        const { action } = decide(of, backup, mode, RUN);
        if (action !== 'unchanged' && action !== 'done' && action !== 'update') return;
        expect(backup && isWhole(backup)).toBe(true);
        expect([backup!.size, backup!.type]).toEqual([of.size, of.type]);
        const record = readRecord(backup!.metadata);
        if (record || action !== 'unchanged') expect(record?.etag).toBe(of.etag);
        else expect(Date.parse(backup!.lastModified) - Date.parse(of.lastModified)).toBeGreaterThan(15 * 60_000);
      }),
      { numRuns: 500 },
    );
  });

  it('F36: a pending copy is adopted only as one of this version, otherwise aborted, and never overwritten', () => {
    fc.assert(
      fc.property(anyCase, ({ of, backup, mode }) => {
        const decision = decide(of, backup, mode, RUN);
        const pending = backup?.copy?.status === 'pending' && !of.isDirectory;
        expect(decision.action === 'adopt' || decision.action === 'abort').toBe(pending);
        if (pending) {
          const ours = readRecord(backup?.metadata)?.etag === of.etag;
          expect(decision).toEqual({ action: ours ? 'adopt' : 'abort', copyId: 'c1' });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('a full run takes nothing for granted but what cannot be read any more', () => {
    fc.assert(
      fc.property(anyCase, ({ of, backup }) => {
        const { action } = decide(of, backup, 'full', RUN);
        // What this very run copied may still lack a tier or tags.
        if (action === 'update') expect(readRecord(backup?.metadata)?.run).toBe(RUN);
        if (action === 'unchanged') expect(of.tier).toBe('Archive');
        if (action === 'done') expect(readRecord(backup?.metadata)?.run).toBe(RUN);
      }),
      { numRuns: 500 },
    );
  });

  it('nothing is read from an archived source or a directory', () => {
    fc.assert(
      fc.property(anyCase, ({ of, backup, mode }) => {
        const { action } = decide(of, backup, mode, RUN);
        if (of.isDirectory) expect(action).toBe('skip');
        else if (of.tier === 'Archive') expect(['skip', 'unchanged', 'adopt', 'abort']).toContain(action);
      }),
      { numRuns: 500 },
    );
  });

  it('F5: where there is a record no time decides, whichever clock is ahead', () => {
    const skewed = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(anyCase, skewed, skewed, ({ of, backup, mode }, sourceTime, backupTime) => {
        fc.pre(backup === undefined || readRecord(backup.metadata) !== undefined);
        const later = backup && { ...backup, lastModified: backupTime.toISOString() };
        expect(decide({ ...of, lastModified: sourceTime.toISOString() }, later, mode, RUN)).toEqual(
          decide(of, backup, mode, RUN),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('I4: after what was decided has been done, the run is done with the blob and the next finds it unchanged', () => {
    fc.assert(
      fc.property(anyCase, ({ of, backup, mode }) => {
        const { action } = decide(of, backup, mode, RUN);
        if (action !== 'copy' && action !== 'update') return;
        const metadata = withRecord(of.metadata, recordOf(of, RUN));
        const after: BlobState = { ...(backup ?? of), etag: '0xN', size: of.size, type: of.type };
        delete after.copy;
        delete after.metadata;
        if (metadata) after.metadata = metadata;
        after.lastModified = '2026-06-01T00:00:00.000Z';
        if (of.contentMd5 !== undefined) after.contentMd5 = of.contentMd5;
        expect(decide(of, after, 'incremental', 'another')).toEqual({ action: 'unchanged' });
        if (metadata) expect(decide(of, after, mode, RUN)).toEqual({ action: 'done' });
      }),
      { numRuns: 500 },
    );
  });
});
