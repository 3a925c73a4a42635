import type { Answer } from '../../../ui/model/answer.ts';
import type { State } from '../state.ts';
import { ADMIN, READER } from './answers.ts';
import {
  BRAKE,
  DEEP,
  DRILL,
  HOLD,
  idOf,
  job,
  MARKED_POINTS,
  problem,
  QUICK,
  timeOf,
  wholePoint,
} from './restore-answers.ts';

const common = {
  'GET /api/whoami': ADMIN,
  'GET /api/jobs': { jobs: [job('nightly'), job('tables')] },
  'GET /api/restore-points': { restorePoints: MARKED_POINTS, next: 'more' },
};
const sha = (digit: string) => digit.repeat(64);
const summary = {
  path: `jobs/nightly/runs/${idOf(29)}/run.json`,
  sha256: sha('0d'),
  isAsRecorded: true as boolean | null,
};
const record = { number: 16, sha256: sha('77'), at: timeOf(29), previous: sha('c1') };
const { id, time, ...facts } = wholePoint(29);

const proof: Answer<'showProof'> = {
  ...{ at: '2026-11-30T12:00:00.000Z', version: '0.1.0', summary, parts: 4, record, more: 12, text: [] },
  restorePoint: {
    ...{ id, job: facts.job, mode: 'incremental', status: facts.status, startedAt: time, finishedAt: facts.finishedAt },
    by: { name: null, via: 'schedule' },
    ...{ source: facts.source, vault: facts.vault, containers: 2, blobs: 5018, tables: 1, entities: 48_211 },
    ...{ bytes: 188_252_160, lacks: facts.lacks!, hold: HOLD, brake: null, removed: null },
  },
  verifications: [
    {
      ...{ run: DEEP.run, kind: 'deep', portion: '100%', startedAt: DEEP.at, finishedAt: DEEP.at, trigger: 'timer' },
      by: { name: null, via: 'schedule' },
      ...{ items: 5019, read: 5019, failed: 0, isSound: true, record: { ...record, number: 17 }, summary },
    },
  ],
  chain: { records: 17, head: { number: 17, sha256: sha('5f') }, problem: null },
};
const altered = {
  ...proof,
  summary: { ...summary, isAsRecorded: false },
  chain: { ...proof.chain, problem: 'record 12 is missing' },
};

/** Restore points, and what proves them. */
export const POINT_STATES: readonly State[] = [
  {
    name: 'points-all-marks',
    path: '/points?removed=true',
    answers: common,
    says: [
      'whole',
      'lacks 14 that failed and the container tenant-7',
      'on hold',
      'audit 2026',
      'safety brake',
      'marked for removal',
      'being deleted',
      'summary damaged',
      'deep 5%',
      'drill: 2 wrong',
      'Load more',
    ],
  },
  {
    name: 'points-none',
    path: '/points',
    answers: { ...common, 'GET /api/restore-points': { restorePoints: [], next: null } },
    says: ['No restore point yet', 'The first backup that ends leaves one.'],
  },
  {
    name: 'point-verified',
    path: `/points/${idOf(29)}`,
    answers: {
      ...common,
      'GET /api/whoami': READER,
      [`GET /api/restore-points/${idOf(29)}`]: wholePoint(29, {
        hold: HOLD,
        verified: DEEP,
        verifications: [DEEP, QUICK, DRILL],
      }),
    },
    says: [
      'deep 5%: 251 of 5,018 read and compared, nothing wrong',
      '2 not as backed up',
      'Remove the hold',
      'You may not do this: it needs the role admin.',
      'imagesbackup',
      'deletions unknown since',
      '12 blob encryption scope',
    ],
  },
  {
    name: 'point-braked',
    path: `/points/${idOf(28)}`,
    answers: {
      ...common,
      [`GET /api/restore-points/${idOf(28)}`]: wholePoint(28, { brake: BRAKE, containersHeld: [], tablesHeld: [] }),
    },
    does: async (page) => {
      await page.getByRole('button', { name: 'Release the brake' }).click();
      await page.getByLabel('I have looked').check();
    },
    says: ['The safety brake is engaged', 'Release the safety brake', 'It engaged because of this'],
  },
  {
    name: 'point-hold',
    path: `/points/${idOf(27)}`,
    answers: { ...common, [`GET /api/restore-points/${idOf(27)}`]: wholePoint(27) },
    does: async (page) => {
      await page.getByRole('button', { name: 'Hold it' }).click();
      await page.getByLabel('Why').fill('\u202e');
    },
    says: ['Hold this restore point', 'Say why'],
  },
  {
    name: 'point-verify',
    path: `/points/${idOf(26)}`,
    answers: { ...common, [`GET /api/restore-points/${idOf(26)}`]: wholePoint(26) },
    does: async (page) => {
      await page.getByRole('button', { name: 'Verify it now …' }).click();
      await page.getByLabel(/^Deep/).check();
      await page.getByText('The same as a command').click();
    },
    says: [
      '--kind=deep --portion=100%',
      'Verify this restore point',
      'Portion of the blobs',
      'Start the deep verification',
    ],
  },
  {
    name: 'point-marked',
    path: `/points/${idOf(25)}`,
    answers: {
      ...common,
      [`GET /api/restore-points/${idOf(25)}`]: problem(404, 'point-removed', {
        title: 'Not found',
        detail: 'A prune has marked it',
      }),
    },
    says: ['marked for removal', 'All of its content is still there', 'Take back the mark'],
    expects: /404/,
  },
  {
    name: 'proof-sound',
    path: `/points/${idOf(29)}/proof`,
    answers: { ...common, [`GET /api/restore-points/${idOf(29)}/proof`]: proof },
    says: [
      '5,019 of 5,019 items read byte by byte and compared. Nothing was wrong.',
      '(as recorded)',
      'Print',
      'Head of the chain',
      '12 earlier verifications',
    ],
  },
  {
    name: 'proof-altered',
    path: `/points/${idOf(29)}/proof`,
    answers: { ...common, [`GET /api/restore-points/${idOf(29)}/proof`]: altered },
    says: ['not as it was written', 'not as recorded', 'record 12 is missing'],
  },
];
