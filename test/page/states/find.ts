import { HOSTILE_NAMES } from '../../support/builders/hostile-names.ts';
import type { State } from '../state.ts';
import { ADMIN, READER } from './answers.ts';
import { ALL_POINTS, idOf, job, problem, timeOf, wholePoint } from './restore-answers.ts';

const found = (names: readonly string[]) => ({
  restorePoint: { id: idOf(29), time: timeOf(29) },
  items: names.map((name, index) => ({
    ...{ container: 'docs', name, size: 131_072 + index * 9_999, restorePoint: { id: idOf(29), time: timeOf(29) } },
    modified: `2026-${String(11 - (index % 9)).padStart(2, '0')}-11T10:00:00.000Z`,
  })),
  parts: { scanned: 41, total: 41 },
  next: null,
});

const version = (etag: string, modified: string, size: number, ...days: number[]) => ({
  ...{ etag, modified, size, md5: '1B2M2Y8AsgTpgAmY7PhCfg==' },
  restorePoints: days.map((day) => ({ id: idOf(day), time: timeOf(day) })),
  ...{ first: timeOf(days.at(-1)!), last: timeOf(days[0]!) },
});
const NAME = '2026/03/invoice-20260311.pdf';

const blob = (name: string, part: object = {}) => ({
  ...{ name, size: 4096, modified: '2026-11-20T10:00:00.000Z', etag: '0x8DD0A1B2C3D4E5F' },
  ...{ type: 'block', status: 'held' },
  ...part,
});

const common = {
  'GET /api/whoami': ADMIN,
  'GET /api/jobs': { jobs: [job('nightly'), job('tables')] },
  'GET /api/restore-points': { restorePoints: ALL_POINTS, next: null },
};

/** Looking for a file. */
export const FIND_STATES: readonly State[] = [
  { name: 'find-asks', path: '/find', answers: common, says: ['What is the file called?', 'Browse a restore point'] },
  {
    name: 'find-found',
    path: '/find?q=invoice',
    answers: {
      ...common,
      'GET /api/search': found(
        Array.from({ length: 12 }, (_, index) => `2026/0${(index % 9) + 1}/invoice-${index}.pdf`),
      ),
    },
    does: async (page) => {
      await page.getByLabel('Collect 2026/01/invoice-0.pdf').check();
      await page.getByLabel('Collect 2026/02/invoice-1.pdf').check();
    },
    says: [
      '12 found',
      'searched the restore point of',
      '2 blobs, 272 kB',
      'Restore these',
      'Look in earlier restore points',
    ],
  },
  {
    name: 'find-hostile-names',
    path: '/find?q=%25&match=glob',
    answers: { ...common, 'GET /api/search': found(HOSTILE_NAMES) },
    says: [`${HOSTILE_NAMES.length} found`, '<script>alert(1)</script>'],
    does: async (page) => {
      // The announcer says it, too.
      await page.getByRole('main').getByText(`${HOSTILE_NAMES.length} found`).waitFor();
      // Only rows near the window are drawn.
      await page.mouse.wheel(0, 40 * HOSTILE_NAMES.indexOf('<script>alert(1)</script>'));
    },
  },
  {
    name: 'find-nothing',
    path: '/find?q=lost.txt&container=docs',
    answers: { ...common, 'GET /api/search': found([]) },
    says: [
      'Nothing found',
      'No name of the container docs contains “lost.txt”',
      'Look in all containers',
      'Look in tables',
    ],
  },
  {
    name: 'find-earlier',
    path: '/find?q=gone',
    answers: {
      ...common,
      'GET /api/search': ({ path }: { path: string }) =>
        path.includes('restorePoint=older')
          ? {
              ...found(['2025/gone.pdf']),
              restorePoint: { id: idOf(26), time: timeOf(26) },
              unread: [{ id: idOf(27), message: 'A part is missing' }],
            }
          : found([]),
    },
    does: (page) => page.getByRole('button', { name: 'Look in earlier restore points' }).click(),
    says: ['1 found', 'searched all restore points, back to', '1 restore point cannot be read in part', 'gone.pdf'],
  },
  {
    name: 'find-damaged',
    path: '/find?q=a',
    answers: { ...common, 'GET /api/search': problem(502, 'damaged') },
    says: ['A part of the restore point is missing', 'Try again'],
    expects: /502/,
  },
  {
    name: 'file-versions',
    path: `/file?job=nightly&container=docs&name=${encodeURIComponent(NAME)}`,
    answers: {
      ...common,
      'GET /api/blobs/history': {
        versions: [
          version('0x8DD3', '2026-11-29T10:00:00.000Z', 131_072, 29, 28, 27),
          version('0x8DD2', '2026-11-12T08:12:00.000Z', 128_400, 26, 25, 24, 23, 22),
          version('0x8DD1', '2026-03-11T17:40:00.000Z', 128_111, 21),
        ],
        ...{ absent: 4, next: null },
      },
    },
    says: [
      'invoice-20260311.pdf',
      'in 3 restore points',
      'in 5 restore points',
      'Restore this version',
      '+2.67 kB',
      '4 restore points',
    ],
  },
  {
    ...{ name: 'file-none', path: '/file', answers: { 'GET /api/whoami': ADMIN } },
    says: ['File', 'No file is chosen', 'may have been cut off'],
  },
  {
    name: 'file-not-held',
    path: '/file?job=nightly&container=docs&name=..%2F%E2%80%AEgnp.exe',
    answers: {
      ...common,
      'GET /api/whoami': READER,
      'GET /api/blobs/history': { versions: [], absent: 31, next: null },
    },
    says: ['No restore point of this job holds a blob of this name', '\\u202egnp.exe'],
  },
  {
    name: 'browse-folder',
    path: `/points/${idOf(29)}/browse?container=docs&prefix=${encodeURIComponent('2026//%2f/')}`,
    answers: {
      ...common,
      [`GET /api/restore-points/${idOf(29)}`]: wholePoint(29),
      [`GET /api/restore-points/${idOf(29)}/blobs`]: {
        items: [
          blob('2026//%2f/a.jpg'),
          blob('2026//%2f/\u202egnp.exe', { tier: 'Cool' }),
          blob('2026//%2f/lost.txt', { status: 'failed', code: 'destination-leased', hint: 'Break the lease.' }),
          blob('2026//%2f/<img src=x onerror=alert(1)>'),
          blob('2026//%2f/'),
        ],
        ...{ folders: [{ prefix: '2026//%2f/../' }, { prefix: '2026//%2f//' }], next: null },
      },
    },
    says: ['2 folders and 5 blobs', '(no name)', 'failed: destination-leased', 'Restore this folder', '‹ Earlier'],
  },
  {
    name: 'browse-tables-only',
    path: `/points/${idOf(28)}/browse`,
    answers: {
      ...common,
      [`GET /api/restore-points/${idOf(28)}`]: { ...wholePoint(28), containersHeld: [] },
    },
    says: ['Browse', 'This restore point holds no container'],
  },
  {
    name: 'browse-empty',
    path: `/points/${idOf(28)}/browse?container=docs&prefix=gone%2F`,
    answers: {
      ...common,
      [`GET /api/restore-points/${idOf(28)}`]: wholePoint(28),
      [`GET /api/restore-points/${idOf(28)}/blobs`]: { items: [], folders: [], next: null },
    },
    says: ['This folder is empty', 'Go to the folder above', 'Later ›'],
  },
];
