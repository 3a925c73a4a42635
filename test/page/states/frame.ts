import type { State } from '../state.ts';
import { ADMIN, problem } from './answers.ts';

/** What stands around and in place of all screens. */
export const FRAME_STATES: readonly State[] = [
  {
    name: 'no-such-page',
    path: '/no/such/page',
    answers: { 'GET /api/whoami': ADMIN },
    says: ['There is no such page', 'production', 'Strongroom 0.1.0'],
  },
  {
    name: 'sign-in',
    path: '/settings',
    answers: { 'GET /api/whoami': problem(401, 'sign-in-needed', { ways: ['entra', 'key'] }) },
    says: ['Sign in', 'Sign in with Microsoft', 'Sign in with the key'],
    expects: /401/,
  },
  {
    name: 'sign-in-refused',
    path: '/settings',
    // The platform in front of the app answers without a body.
    answers: { 'GET /api/whoami': { status: 401 } },
    does: async (page) => {
      await page.getByLabel('Key of the app').fill('a wrong one');
      await page.keyboard.press('Enter');
    },
    says: ['This key is not one of the app'],
    expects: /401/,
  },
  {
    name: 'misconfigured',
    path: '/no/such/page',
    answers: {
      'GET /api/whoami': problem(503, 'misconfigured', {
        problems: 2,
        errors: [
          { path: 'jobs[0].schedule', message: '"61 * * * * *": the second is from 0 to 59' },
          { path: 'app setting SOURCE', message: 'the account "SOURCE" has no app setting' },
        ],
      }),
    },
    says: ['The app cannot start', 'jobs[0].schedule', 'app setting SOURCE'],
    expects: /503/,
  },
  {
    name: 'keys-help',
    path: '/no/such/page',
    answers: { 'GET /api/whoami': ADMIN },
    does: (page) => page.keyboard.press('?'),
    says: ['next and previous row'],
  },
];
