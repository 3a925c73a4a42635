import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobState } from '#domain/blobs/blob.ts';
import { deletable } from '#domain/prune/deletable.ts';
import { isPrunePlan, type PrunePlan, withHash } from '#domain/run/prune-plan.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const BEFORE = Date.parse('2026-05-10T00:00:00.000Z');
const RECORD = {
  strongroom_etag: '0x9',
  strongroom_modified: '2026-05-01T00:00:00.000Z',
  strongroom_run: 'nightly-20260501T000000Z-bbbbbb',
};
const OLD = '2026-05-01T00:00:00.000Z';
const NEW = '2026-05-11T00:00:00.000Z';

const base = (more: Partial<BlobState> = {}) => blobState({ lastModified: OLD, metadata: RECORD, ...more });
const snapshot = (made = OLD, more: Partial<BlobState> = {}) =>
  base({ snapshotOrVersion: { snapshot: made }, ...more });
const reasons = (group: BlobState[], isNeeded: (blob: BlobState) => boolean = () => false) =>
  deletable(group, isNeeded, BEFORE).map(({ reason }) => reason);

describe('F12: of a blob and what is kept of it, there may go', () => {
  it('what no restore point needs, the base blob last', () => {
    expect(reasons([base(), snapshot(), snapshot('2026-05-02T00:00:00.000Z')])).toEqual([
      'not-needed',
      'not-needed',
      'source-gone',
    ]);
  });

  it.each<[string, BlobState[], (blob: BlobState) => boolean]>([
    ['what is needed', [base()], () => true],
    [
      'a base blob of which a snapshot is needed',
      [base(), snapshot()],
      ({ snapshotOrVersion: kept }) => kept !== undefined,
    ],
    ['what carries no record', [base({ metadata: { of: 'mine' } })], () => false],
    ['what carries half of one', [base({ metadata: { strongroom_etag: '0x9' } })], () => false],
    ['what was not asked for its metadata', [blobState({ lastModified: OLD })], () => false],
    ['a copy that is pending', [base({ copy: { id: '1', status: 'pending', source: '' } })], () => false],
    ['a copy that failed', [base({ copy: { id: '1', status: 'failed', source: '' } })], () => false],
    ['what is too new', [base({ lastModified: NEW })], () => false],
    ['what came to be at that very moment', [base({ lastModified: new Date(BEFORE).toISOString() })], () => false],
    ['a new snapshot of an old blob', [snapshot(NEW)], () => false],
    ['an old snapshot of what is too new', [snapshot(OLD, { lastModified: NEW })], () => false],
    ['what has no time that can be read', [base({ lastModified: 'yesterday' })], () => false],
    ['a snapshot of what has no time that can be read', [snapshot(OLD, { lastModified: 'yesterday' })], () => false],
    ['a base blob of which there are two', [base(), base({ etag: '0x2' })], () => false],
  ])('not %s', (_, group, isNeeded) => {
    expect(reasons(group, isNeeded)).toEqual([]);
  });

  it('the blob itself, with why', () => {
    const [blob, kept] = [base(), snapshot()];
    expect(deletable([blob, kept], () => false, BEFORE)).toEqual([
      { blob: kept, reason: 'not-needed' },
      { blob, reason: 'source-gone' },
    ]);
  });

  it('a snapshot by when its blob was written, if its own time cannot be read', () => {
    expect(reasons([snapshot('yesterday')])).toEqual(['not-needed']);
    expect(reasons([snapshot('yesterday', { lastModified: NEW })])).toEqual([]);
  });

  it('nothing if there is nothing, and what is kept of a blob that is gone', () => {
    expect(reasons([])).toEqual([]);
    expect(reasons([snapshot()])).toEqual(['not-needed']);
  });

  it('a version by when it was written', () => {
    expect(reasons([base({ snapshotOrVersion: { version: NEW } }), base({ lastModified: NEW })])).toEqual([
      'not-needed',
    ]);
    expect(reasons([base({ snapshotOrVersion: { version: OLD }, lastModified: NEW })])).toEqual([]);
  });

  it('never a base blob beside anything that stays, whatever is needed', () => {
    const kinds = fc.constantFrom(snapshot(), snapshot(NEW), snapshot(OLD, { metadata: {} }), snapshot(OLD));
    fc.assert(
      fc.property(fc.array(kinds, { maxLength: 5 }), fc.array(fc.boolean()), (kept, needs) => {
        const group = [...kept.map((blob, index) => ({ ...blob, etag: `0x${index}` })), base()];
        const needed = new Set(group.filter((_, index) => needs[index]));
        const gone = deletable(group, (blob) => needed.has(blob), BEFORE);
        for (const { blob } of gone) expect(needed.has(blob)).toBe(false);
        const baseAt = gone.findIndex(({ reason }) => reason === 'source-gone');
        if (baseAt >= 0) expect([gone.length, baseAt]).toEqual([group.length, group.length - 1]);
      }),
    );
  });
});

describe('F12: the hash of a plan', () => {
  const plan: Omit<PrunePlan, 'hash'> = {
    job: 'nightly',
    at: '2026-05-11T00:00:00.000Z',
    decisions: [
      { id: 'c', keep: true, reasons: ['last 1'] },
      { id: 'b', keep: false, reasons: [] },
    ],
    remove: ['b'],
    expired: ['a', 'z'],
    reading: [],
    keeps: [
      { job: 'nightly', id: 'c' },
      { job: 'weekly', id: 'w', unpublished: true },
    ],
    braked: [],
    marginMs: 1000,
    before: '2026-05-10T00:00:00.000Z',
    source: 'https://source.test',
  };
  const { hash } = withHash(plan);

  it.each<[string, Partial<PrunePlan>]>([
    ['another job', { job: 'weekly' }],
    ['another decision', { decisions: [{ id: 'c', keep: true, reasons: [] }] }],
    ['what is marked', { remove: ['b', 'c'] }],
    ['what is emptied', { expired: ['a'] }],
    ['what is kept', { keeps: [...plan.keeps, { job: 'weekly', id: 'v' }] }],
    ['the same id of another job', { keeps: [{ job: 'weekly', id: 'c' }] }],
    ['a safety brake', { braked: ['databackup'] }],
    ['another margin', { marginMs: 2000 }],
    ['another source', { source: 'https://other.test' }],
  ])('is another with %s', (_, change) => {
    expect(withHash({ ...plan, ...change }).hash).not.toBe(hash);
  });

  it('is the same later, in another order, and while runs come and go', () => {
    const same = withHash({
      ...plan,
      at: '2026-05-12T00:00:00.000Z',
      before: '2026-05-11T00:00:00.000Z',
      decisions: [...plan.decisions].reverse(),
      expired: ['z', 'a'],
      keeps: [
        { job: 'weekly', id: 'x', unpublished: true },
        { job: 'nightly', id: 'c' },
      ],
    });
    expect(same.hash).toBe(hash);
  });

  it('is part of what distinguishes a plan from other documents', () => {
    expect(isPrunePlan(withHash(plan))).toBe(true);
    for (const field of ['hash', 'at', 'before', 'decisions', 'remove', 'expired', 'keeps']) {
      expect(isPrunePlan({ ...withHash(plan), [field]: undefined }), field).toBe(false);
    }
    for (const other of [null, 'x', [], {}]) expect(isPrunePlan(other)).toBe(false);
  });
});
