import type { Answer } from '../../../ui/model/answer.ts';
import type { State } from '../state.ts';
import { ADMIN, READER } from './answers.ts';

type Rule = Answer<'listArchives'>['archives'][number];

const rule: Rule = {
  ...{ name: 'uploads', timeZone: 'UTC', method: 'auto' },
  reconcile: { schedule: '0 0 * * * *', words: 'every hour', next: ['2026-11-30T13:00:00.000Z'] },
  source: { account: 'SOURCE', container: 'incoming', prefix: '', include: [], exclude: [] },
  destination: { account: 'VAULT', container: '{container}archive', prefix: '', folders: 'none' },
  events: { queue: 'strongroom-uploads', queueAccount: 'AzureWebJobsStorage' },
  ...{ quietMinutes: null, receiptsKept: null, ping: null },
};
const receipts = { done: 5020, claimed: 0, failed: 1, missed: 2, settled: 0, isComplete: true };
const whole: Answer<'getArchive'> = {
  ...rule,
  receipts: { ...receipts, newest: { name: '2026/a.jpg', at: '2026-11-30T11:58:00.000Z' } },
  poison: { open: 3, oldest: '2026-11-28T12:00:00.000Z', codes: { 'access-denied-destination': 2 }, isComplete: true },
};
const upload = (id: string, name: string, code: string, hint: string) => ({
  ...{ id, container: 'incoming', name, etag: null, since: '2026-11-28T12:00:00.000Z', at: '2026-11-29T12:00:00.000Z' },
  ...{ times: 3, code, message: 'This request is not authorized to perform this operation.', hint },
  ...{ state: 'open', settledAt: null, settlement: null },
});
const common = {
  'GET /api/whoami': ADMIN,
  'GET /api/archives': { archives: [rule] },
  'GET /api/archives/uploads': whole,
};
const line = { etag: '0x8DD1', at: '2026-11-29T12:00:03.000Z', modified: '2026-11-29T12:00:00.000Z' };

/** What archive rules have done, and what they could not. */
export const ARCHIVE_STATES: readonly State[] = [
  {
    name: 'archives-rules',
    path: '/archives',
    answers: common,
    says: [
      'uploads',
      '5,020 archived · 1 failed · 2 missed',
      '3 uploads failed permanently',
      'messages of the queue strongroom-uploads',
      'Reconcile now',
    ],
  },
  {
    name: 'archives-none',
    path: '/archives',
    answers: { ...common, 'GET /api/archives': { archives: [] } },
    says: ['There is no archive rule', '"reconcile"'],
  },
  {
    name: 'archive-failed',
    path: '/archives/uploads',
    answers: {
      ...common,
      'GET /api/whoami': READER,
      'GET /api/archives/uploads/poison': {
        rule: 'uploads',
        uploads: [
          upload(
            '1',
            '2026/a.jpg',
            'access-denied-destination',
            'Let this app read and write blobs in the vault account.',
          ),
          upload(
            '2',
            '2026/\u202egnp.exe',
            'access-denied-destination',
            'Let this app read and write blobs in the vault account.',
          ),
          upload('3', 'x'.repeat(1024), 'unsupported-name', 'Rename the blob.'),
        ],
        next: null,
      },
    },
    says: ['access-denied-destination', '2 uploads', 'Rename the blob.', 'Try all again', '\\u202egnp.exe'],
  },
  {
    name: 'archive-settle',
    path: '/archives/uploads',
    answers: {
      ...common,
      'GET /api/archives/uploads/poison': {
        rule: 'uploads',
        uploads: [upload('3', '2026/\u202egnp.exe', 'unsupported-name', 'Rename the blob.')],
        next: null,
      },
    },
    does: async (page) => {
      await page.getByRole('button', { name: 'Settle …' }).click();
      await page.getByLabel('Why').fill('a test of ours');
    },
    says: ['Settle this upload', 'Its receipt keeps the reason', 'Settle it'],
  },
  {
    name: 'archive-settled',
    path: '/archives/uploads?tab=settled',
    answers: {
      ...common,
      'GET /api/archives/uploads/poison?state=settled&limit=100': {
        rule: 'uploads',
        uploads: [
          {
            ...upload('4', '2026/\u202egnp.exe', 'unsupported-name', 'Rename the blob.'),
            ...{ state: 'settled', settledAt: '2026-11-30T09:00:00.000Z' },
            settlement: { at: '2026-11-30T09:00:00.000Z', reason: 'a test of ours', by: { name: 'ada', via: 'entra' } },
          },
        ],
        next: 'more',
      },
    },
    says: ['\\u202egnp.exe', 'unsupported-name', 'a test of ours', 'by ada', 'Load more'],
  },
  {
    name: 'archive-none-settled',
    path: '/archives/uploads?tab=settled',
    answers: { ...common, 'GET /api/archives/uploads/poison': { rule: 'uploads', uploads: [], next: null } },
    says: ['No upload is settled'],
  },
  {
    name: 'archive-receipts',
    path: '/archives/uploads?tab=receipts&name=2026%2Fa.jpg',
    answers: {
      ...common,
      'GET /api/archives/uploads/receipts': ({ path }: { path: string }) =>
        path.includes('name=')
          ? {
              rule: 'uploads',
              receipts: [
                {
                  ...{ format: 1, rule: 'uploads', state: 'done', owner: 'uploads-event-5d0a7c1e', tries: 1 },
                  source: {
                    ...{ account: 'https://shop.blob.core.windows.net', container: 'incoming', name: '2026/a.jpg' },
                    ...{ etag: '0x8DD1', modified: line.modified, size: 4096 },
                  },
                  archived: {
                    ...{ account: 'https://shopvault.blob.core.windows.net', container: 'incomingarchive' },
                    ...{ name: '2026/a.jpg', etag: '0x8DE1', method: 'sync' },
                  },
                  ...{ claimedAt: line.modified, expiresAt: line.at, finishedAt: line.at, seconds: 0.2 },
                },
              ],
              next: null,
            }
          : {
              rule: 'uploads',
              receipts: [
                { ...line, name: '2026/a.jpg', state: 'done' },
                { ...line, name: '2026/<script>', state: 'failed' },
                { ...line, name: '2026/b c.jpg', state: 'missed' },
                { ...line, name: '2026/d.jpg', state: 'claimed' },
              ],
              next: null,
            },
    },
    says: ['incomingarchive', 'archived', 'missed', 'in progress', 'after 0.2 s'],
  },
];
