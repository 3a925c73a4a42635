import type { State } from '../state.ts';
import { ADMIN, job, OBSERVER, overview, problem, READER } from './answers.ts';

const HEALTH = {
  ...{ status: 'ok', version: '0.1.0', orchestrations: 3, archives: [] },
  accounts: [
    { alias: 'SOURCE', status: 'ok' },
    { alias: 'VAULT', status: 'ok' },
  ],
  jobs: [
    {
      ...{
        name: 'nightly',
        schedule: '0 30 23 * * *',
        timeZone: 'UTC',
        next: '2026-11-30T23:30:00.000Z',
        paused: null,
      },
      ...{ problem: null, lostRun: null, silent: null },
    },
  ],
};

const FAILED = {
  ...HEALTH,
  status: 'degraded',
  accounts: [
    { alias: 'SOURCE', status: 'ok' },
    {
      alias: 'VAULT',
      status: 'failed',
      code: 'unreachable',
      message: 'VAULT does not answer',
      hint: 'Check its network rules.',
    },
  ],
};

const check = (id: string, alias: string, result: string, more: object = {}) => ({
  ...{ id, alias, result, needed: true, for: ['nightly'], code: null, hint: null, command: null },
  ...more,
});

const CHECKS = [
  check('list-blobs', 'SOURCE', 'ok'),
  check('read-tags', 'SOURCE', 'missing', {
    ...{ code: 'tags-not-read', hint: 'SOURCE does not let this app read index tags. Backups have no index tags.' },
    command:
      'az role assignment create --assignee 3f0c1111-2222-3333-4444-555566667777 --role "Storage Blob Data Owner" --scope /subscriptions/1/resourceGroups/shop/providers/Microsoft.Storage/storageAccounts/shopdata',
  }),
  check('write-blobs', 'VAULT', 'ok'),
  check('delete-blobs', 'VAULT', 'ok', { needed: false, for: [] }),
  check('soft-delete', 'VAULT', 'unknown', {
    code: 'access-denied-vault',
    hint: 'This app may not see whether soft delete of VAULT is on.',
  }),
];

const first = overview({ jobs: [job({ state: 'never', restorePoint: null, runs: [] })] });
const answers = { 'GET /api/whoami': ADMIN, 'GET /api/overview': first, 'GET /api/health/details': HEALTH };
const checkRights: NonNullable<State['does']> = (page) =>
  page.getByRole('button', { name: 'Check the rights' }).click();

/** What is still to do, the wizard, and the settings. */
export const SETUP_STATES: readonly State[] = [
  {
    ...{ name: 'setup', path: '/setup', answers },
    says: ['Set-up', 'Not checked yet', 'answers', 'Start the first backup of nightly'],
  },
  {
    ...{ name: 'setup-rights', path: '/setup', does: checkRights },
    answers: { ...answers, 'POST /api/checks': { status: 200, body: CHECKS } },
    says: ['1 missing', 'read index tags', 'az role assignment create', 'not delete blobs'],
  },
  {
    ...{ name: 'setup-failed', path: '/setup', expects: /503/ },
    answers: { ...answers, 'GET /api/health/details': { status: 503, body: FAILED } },
    says: ['1 does not answer', 'VAULT does not answer', 'Check its network rules'],
  },
  {
    ...{ name: 'setup-reader', path: '/setup', says: ['it needs the role operator or admin'] },
    answers: { ...answers, 'GET /api/whoami': READER, 'GET /api/overview': overview() },
  },
  {
    ...{ name: 'setup-observer', path: '/setup', expects: /403/ },
    answers: {
      ...answers,
      'GET /api/whoami': OBSERVER,
      'GET /api/overview': problem(403, 'not-allowed', { needs: 'read' }),
    },
    says: ['To see it needs the role reader', 'All answer', 'it needs the role operator or admin'],
  },
  {
    ...{
      name: 'wizard',
      path: '/setup/config',
      says: ['Write a configuration', '"name": "nightly"', 'The app would start with this file'],
    },
    answers: {
      'GET /api/whoami': ADMIN,
      'POST /api/config/check': { isValid: true, problems: [], jobs: 1, archives: 0 },
    },
  },
  {
    ...{ name: 'wizard-containers', path: '/setup/config', says: ['images', 'tenant-1', 'and more'] },
    answers: {
      'GET /api/whoami': ADMIN,
      'POST /api/config/check': { isValid: true, problems: [], jobs: 1, archives: 0 },
      'GET /api/accounts/SOURCE/containers': { account: 'SOURCE', containers: ['images', 'tenant-1'], next: 'more' },
    },
    does: (page) => page.getByRole('button', { name: 'Show the containers that are there' }).click(),
  },
  {
    ...{
      name: 'wizard-wrong',
      path: '/setup/config',
      says: ['The app would not start with this file', 'has no app setting'],
    },
    answers: {
      'GET /api/whoami': ADMIN,
      'POST /api/config/check': {
        ...{ isValid: false, jobs: null, archives: null },
        problems: [{ path: 'jobs[0].source.account', message: 'the account "SUORCE" has no app setting' }],
      },
    },
    does: (page) => page.getByLabel('Account to back up').fill('SUORCE'),
  },
  {
    ...{
      name: 'settings',
      path: '/settings',
      says: ['ada@example.net', 'signed in with Microsoft Entra, as admin', 'Rebuild the list'],
    },
    answers: { 'GET /api/whoami': ADMIN },
  },
  {
    ...{
      name: 'settings-reader',
      path: '/settings',
      says: ['it needs the role admin', 'it needs the role operator or admin'],
    },
    answers: { 'GET /api/whoami': READER },
  },
  {
    ...{ name: 'settings-not-sent', path: '/settings', says: ['Why it is message-not-sent'], expects: /502/ },
    answers: { 'GET /api/whoami': ADMIN, 'POST /api/notify/test': problem(502, 'message-not-sent') },
    does: async (page) => {
      await page.getByLabel('Name of the channel').fill('ops');
      await page.keyboard.press('Enter');
    },
  },
];
