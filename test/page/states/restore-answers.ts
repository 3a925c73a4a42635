import type { Answer } from '../../../ui/model/answer.ts';

type Job = Answer<'listJobs'>['jobs'][number];
type Point = Answer<'listRestorePoints'>['restorePoints'][number];
type Preview = Answer<'previewRestore'>;

/** Of the 29th, 28th … of November. */
export const idOf = (day: number, job = 'nightly') => `${job}-202611${day}T233000Z-k3f9q2`;
export const timeOf = (day: number) => `2026-11-${day}T23:30:00.000Z`;

export function job(name: string, part: Partial<Job> = {}): Job {
  return {
    ...{ name, mode: 'incremental', method: 'auto', timeZone: 'Europe/Berlin', schedules: [] },
    source: {
      ...{ account: 'SOURCE', containers: ['images', 'docs'], prefix: '', include: [], exclude: [] },
      ...{ tables: ['orders'], tableDeletions: true },
    },
    destination: { account: 'VAULT', container: '{container}backup', prefix: '' },
    ...{ retention: null, verify: null, expect: { grace: null, every: null }, ping: null },
    ...part,
  };
}

const NOTHING = { skipped: 0, failed: 0, containers: [], tables: [] };

export function point(day: number, part: Partial<Point> = {}): Point {
  return {
    ...{ id: idOf(day), job: 'nightly', mode: 'incremental', status: 'succeeded' },
    ...{ time: timeOf(day), finishedAt: `2026-11-${day}T23:41:07.114Z` },
    ...{ containers: 2, blobs: 5018, tables: 1, entities: 48_211, bytes: 188_252_160, lacks: NOTHING },
    ...{ hold: null, brake: null, verified: null, verifications: [] },
    ...part,
  };
}

const ADA = { name: 'ada@example.net', via: 'entra' } as const;
export const HOLD = { at: timeOf(29), reason: 'audit 2026', by: ADA };
export const BRAKE = {
  reason: 'images: 812 of 900 blobs changed or lost since the restore point before, more than 50%',
  containers: ['images'],
};
export const REMOVED = { at: '2026-11-30T04:00:00.000Z', run: 'nightly-20261130T040000Z-p7x2m4' };
const proof = (kind: 'quick' | 'deep' | 'drill', part: object = {}) => ({
  ...{ run: 'nightly-20261130T040000Z-v4w5x6', at: '2026-11-30T04:00:00.000Z', kind },
  ...{ items: 5018, read: kind === 'quick' ? 0 : 251, failed: 0 },
  ...part,
});
export const DEEP = proof('deep', { portion: '5%' });
export const QUICK = proof('quick');
export const DRILL = proof('drill', { items: 20, read: 20, failed: 2 });

export const ALL_POINTS: Point[] = [
  point(29, { hold: HOLD, verified: DEEP, verifications: [DEEP, QUICK] }),
  point(28, { lacks: { ...NOTHING, failed: 14, containers: ['tenant-7'] }, status: 'completed-with-failures' }),
  point(27, { verified: QUICK, verifications: [QUICK] }),
  point(26, { verified: DRILL, verifications: [DRILL], bytes: null }),
];
const damaged = { code: 'damaged', message: 'The summary is missing', hint: 'Restore it from soft delete.' };
export const MARKED_POINTS: Point[] = [
  ...ALL_POINTS,
  point(25, { removed: REMOVED }),
  point(24, { removed: { ...REMOVED, emptied: '2026-11-30T05:00:00.000Z' } }),
  point(23, { brake: BRAKE }),
  point(22, {
    ...{ containers: null, blobs: null, tables: null, entities: null, bytes: null, lacks: null },
    problem: damaged,
  }),
];

export function wholePoint(day: number, part: Partial<Answer<'getRestorePoint'>> = {}): Answer<'getRestorePoint'> {
  return {
    ...point(day),
    ...{ source: 'https://shop.blob.core.windows.net', vault: 'https://shopvault.blob.core.windows.net' },
    containersHeld: [
      { container: 'images', backupContainer: 'imagesbackup', blobs: 4812, failed: 0, skipped: 0 },
      { container: 'docs', backupContainer: 'docsbackup', blobs: 206, failed: 1, skipped: 1 },
    ],
    tablesHeld: [
      {
        ...{ table: 'orders', entities: 48_211, failed: 0 },
        window: { from: '2026-11-29T23:30:02Z', to: '2026-11-29T23:31:40Z' },
        deletionsUnknownSince: '2026-11-28T23:30:02Z',
      },
    ],
    notPreserved: { containers: { images: { 'blob-encryption-scope': 12 } }, notLookedFor: ['acls'] },
    ...part,
  };
}

const NO_COUNTS = { items: 0, bytes: 0, new: 0, replaced: 0, unchanged: 0, skipped: 0, failed: 0, rehydrated: 0 };

/** What the preview of a restore of `images` counts. */
export function preview(
  counts: Partial<typeof NO_COUNTS>,
  part: Partial<Preview['containers'][number]> = {},
  more: Partial<Preview> = {},
): Preview {
  const totals = { ...NO_COUNTS, ...counts };
  const container = { ...totals, container: 'images', target: 'images', isNew: false, failures: {}, problem: null };
  return {
    restorePoint: { id: idOf(29), time: timeOf(29) },
    ...{ job: 'nightly', account: 'SOURCE', existing: 'fail', totals, containers: [{ ...container, ...part }] },
    ...{ tables: [], leftOut: [], examples: { replaced: [], failed: [] }, next: null },
    ...more,
  };
}

export const problem = (status: number, code: string, more: object = {}) => ({
  status,
  body: {
    ...{ type: 'about:blank', title: 'Storage account failed the request', status, code },
    ...{ detail: 'A part of the restore point is missing', hint: 'Restore it from soft delete of the vault.' },
    ...more,
  },
});
