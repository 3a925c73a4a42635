import type { Call } from '../page-server.ts';
import type { State } from '../state.ts';
import { ADMIN, READER } from './answers.ts';
import { ALL_POINTS, BRAKE, idOf, job, point, preview, wholePoint } from './restore-answers.ts';

const common = {
  'GET /api/whoami': ADMIN,
  'GET /api/jobs': { jobs: [job('nightly'), job('tables')] },
  'GET /api/restore-points': { restorePoints: ALL_POINTS, next: null },
  [`GET /api/restore-points/${idOf(29)}`]: wholePoint(29),
};
const review = (query: string) => `/restore/review?point=${idOf(29)}&${query}`;
const COUNTS = { items: 4812, bytes: 1_200_000_000, new: 312, replaced: 1040, unchanged: 3446, failed: 14 };
const ARCHIVED = { 'content-archived': 14 };
const EXAMPLES = {
  replaced: [
    { container: 'images', name: '2026/a.jpg' },
    { container: 'images', name: '2026/\u202egnp.exe' },
  ],
  failed: [{ container: 'images', name: '2025/z.raw', code: 'content-archived' }],
};

/** What the target of the request has: nothing under a new name, other blobs in the original place. */
function counted({ body }: Call) {
  const { target, existing, rehydrate } = body as {
    target?: { container?: string };
    existing: string;
    rehydrate?: string;
  };
  if (target?.container !== undefined) {
    const isTaken = target.container === 'images-restored';
    return preview(
      { items: 4812, new: isTaken ? 0 : 4812, failed: isTaken ? 4812 : 0, bytes: 2_000_000_000 },
      {
        ...{ target: target.container, isNew: !isTaken },
      },
    );
  }
  if (existing === 'if-different' && rehydrate !== undefined) {
    return preview({ ...COUNTS, new: 326, failed: 0, rehydrated: 14 }, {}, { examples: EXAMPLES });
  }
  const isSkipping = existing === 'skip';
  const counts = isSkipping ? { ...COUNTS, replaced: 0, skipped: 1040 + 3446, unchanged: 0 } : COUNTS;
  return preview(counts, { failures: ARCHIVED }, { examples: EXAMPLES });
}

/** From what is wanted to a restore that has not begun. */
export const RESTORE_STATES: readonly State[] = [
  {
    name: 'restore-doors',
    path: '/restore',
    answers: {
      ...common,
      'GET /api/restore-points': { restorePoints: [point(29, { brake: BRAKE }), ...ALL_POINTS.slice(1)], next: null },
      [`GET /api/restore-points/${idOf(28)}`]: wholePoint(28),
    },
    says: [
      'What do you want back?',
      'A file, or some',
      'A container or table',
      'Everything, from one day',
      'A safety brake is engaged',
      'orders',
    ],
  },
  {
    name: 'restore-no-job',
    path: '/restore',
    answers: { ...common, 'GET /api/whoami': READER, 'GET /api/jobs': { jobs: [] } },
    says: ['There is no job, so there is no backup', 'it needs the role restorer or admin'],
  },
  {
    name: 'review-nothing-chosen',
    path: `/restore/review?point=${idOf(29)}&container=images&basket=1`,
    answers: common,
    says: ['Nothing is chosen'],
  },
  {
    name: 'review-new-place',
    path: review('container=images&whole=1'),
    answers: { ...common, 'POST /api/restores/preview': counted },
    // The first name is taken, so the next one is tried.
    does: (page) => page.getByText('The same as a command').click(),
    says: [
      'Restore the container images',
      'Restore 4,812 blobs to SOURCE / images-restored-2',
      'curl -X POST',
      'strongroom restore --point=',
      'new',
    ],
  },
  {
    name: 'review-where-it-was',
    path: review('container=images&whole=1'),
    answers: { ...common, 'POST /api/restores/preview': counted },
    does: async (page) => {
      await page.getByLabel(/^Where it was/).check();
      await page.getByLabel(/replace the 1,040 that differ/).check();
      await page.getByText('Names that differ').click();
    },
    says: [
      '14 blobs lie in the archive tier',
      'Type nightly to confirm',
      'Restore 1,352 blobs to SOURCE / images',
      'What it would not restore',
    ],
  },
  {
    name: 'review-one-file',
    path: review(`container=images&name=${encodeURIComponent('2026/<script>alert(1)</script>')}`),
    answers: {
      ...common,
      'POST /api/restores/preview': ({ body }: Call) =>
        preview(
          { items: 1, new: 1, bytes: 4096 },
          {
            ...{ target: (body as { target: { container: string } }).target.container, isNew: true },
          },
        ),
    },
    says: [
      'Restore one blob of images',
      '<script>alert(1)</script>',
      'Restore 1 blob to SOURCE / images-restored',
      'not through this app',
    ],
  },
  {
    name: 'review-everything',
    path: review('all=1'),
    answers: {
      ...common,
      'POST /api/restores/preview': ({ body }: Call) => {
        const isOriginal = (body as { target?: object }).target === undefined;
        return preview(
          { items: 5018, new: 5018, bytes: 188_000_000 },
          { isNew: !isOriginal },
          {
            tables: [{ table: 'orders', target: isOriginal ? 'orders' : 'ordersRestored', entities: 48_211 }],
            leftOut: [
              { container: '$web', code: 'target-protected', message: '$web is protected', hint: 'Choose another.' },
            ],
          },
        );
      },
    },
    does: (page) => page.getByLabel(/^Where it was/).check(),
    says: [
      'Restore everything',
      'This writes everything to where it was',
      'Restore 5,018 blobs and 48,211 entities',
      'The choice counts for tables',
    ],
  },
  {
    name: 'review-denied',
    path: review('container=images&whole=1'),
    answers: {
      ...common,
      'POST /api/restores/preview': preview(
        { items: 0 },
        {
          ...{ target: 'images-restored' },
          problem: {
            code: 'access-denied-target',
            message: 'SOURCE denies access',
            hint: 'Set restoreToSource to true.',
          },
        },
      ),
    },
    says: ['SOURCE denies access', 'access-denied-target'],
  },
  {
    name: 'review-not-allowed',
    path: review('container=images&prefix=2026%2F'),
    answers: { ...common, 'GET /api/whoami': READER },
    says: ['Restore a folder of images', 'You may not do this: it needs the role restorer or admin.'],
  },
];
