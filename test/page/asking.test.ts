import type { ServerResponse } from 'node:http';
import type { Page } from 'playwright-core';
import { test as always, describe, expect, it } from 'vitest';
import type { Call } from './page-server.ts';
import { ADMIN, BEFORE, job, NAMES, NIGHTLY, overview, problem, report, row } from './states/answers.ts';
import { useChromium } from './use-chromium.ts';

/** How the page asks: what it sends, when it asks again, and what it shows if there is no answer. */

const { browser, serve } = await useChromium();
const server = await serve();
const test = always.skipIf(!browser);

const RUNNING = report({
  ...{ status: 'running', phase: 'copying', finishedAt: null },
  actions: { cancel: { may: true }, retry: { may: false, code: 'run-in-progress', why: 'It is in progress' } },
});
const ANSWERS = { 'GET /api/whoami': ADMIN, [`GET /api/runs/${NIGHTLY}`]: RUNNING };
const asks = () => server.calls.filter(({ path }) => path.endsWith('containers=none'));

async function open(path: string): Promise<Page> {
  const page = await browser!.newPage();
  await page.goto(`${server.url}/ui${path}`);
  return page;
}

test('a run in progress is asked for again, with the ETag of the last answer, and stays while there is no other', async () => {
  server.answer(ANSWERS);
  const page = await open(`/runs/${NIGHTLY}`);
  await page.getByRole('heading', { name: 'Backing up nightly' }).waitFor();
  await expect.poll(() => asks().length, { timeout: 10_000 }).toBeGreaterThan(1);
  expect(
    asks()
      .map(({ headers }) => 'if-none-match' in headers)
      .slice(0, 2),
  ).toEqual([false, true]);
  server.answer({ ...ANSWERS, [`GET /api/runs/${NIGHTLY}`]: problem(503, 'unreachable') });
  await page.getByText(/What follows is as of \d\d:\d\d:\d\d/).waitFor({ timeout: 10_000 });
  expect(await page.getByRole('heading', { name: 'Backing up nightly' }).count()).toBe(1);
  server.answer(ANSWERS);
  await page.getByRole('button', { name: 'Try now' }).click();
  await page.getByText('What follows is as of').waitFor({ state: 'detached' });
  await page.close();
});

test('a key is sent as a header, in no address, and is gone after signing out', async () => {
  const KEY = 'a secret key';
  const answered = ({ headers }: { headers: Record<string, string> }) =>
    headers['x-functions-key'] === KEY ? { ...ADMIN, via: 'key', signOut: null } : { status: 401 };
  server.answer({ 'GET /api/whoami': answered, 'POST /api/notify/test': { channel: 'ops', sent: true } });
  const page = await open('/settings');
  await page.getByLabel('Key of the app').fill(KEY);
  await page.keyboard.press('Enter');
  await page.getByLabel('Name of the channel').fill('ops');
  await page.keyboard.press('Enter');
  await page.getByText('has taken the message').waitFor();
  const sent = server.calls.find(({ method }) => method === 'POST');
  expect(sent).toMatchObject({ body: { channel: 'ops' }, headers: { 'x-functions-key': KEY, 'x-strongroom': '1' } });
  expect(server.calls.map(({ path }) => path).join(' ')).not.toContain('secret');
  expect(page.url()).not.toContain('secret');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await page.evaluate(() => JSON.stringify([sessionStorage, localStorage]))).not.toContain('secret');
  await page.close();
});

/** As if the reader had been elsewhere. */
const show = (page: Page, isShown: boolean) =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, !isShown);

async function askAgain(page: Page): Promise<void> {
  await show(page, false);
  await show(page, true);
}

test('a hidden page does not ask, and asks at once when it is shown again', async () => {
  server.answer(ANSWERS);
  const page = await open(`/runs/${NIGHTLY}`);
  await page.getByRole('heading', { name: 'Backing up nightly' }).waitFor();
  await show(page, false);
  const before = asks().length;
  await page.waitForTimeout(3_500);
  expect(asks().length).toBe(before);
  await show(page, true);
  await expect.poll(() => asks().length, { timeout: 1_000 }).toBe(before + 1);
  await page.close();
});

test('the overview does not say that all is well when it cannot know', async () => {
  server.answer({ 'GET /api/whoami': ADMIN, 'GET /api/overview': overview() });
  const page = await open('/');
  await page.getByRole('heading', { name: 'Everything is backed up' }).waitFor();
  server.answer({ 'GET /api/whoami': ADMIN, 'GET /api/overview': problem(503, 'unreachable') });
  await askAgain(page);
  await page.getByRole('heading', { name: 'It is not known how things stand now' }).waitFor();
  expect(await page.title()).toContain('? Not known');
  expect(await page.getByText('5,018 blobs').count()).toBeGreaterThan(0);
  await page.close();
});

/** Answers that are none: what they are, what is sent, and what the page says. */
const NO_ANSWERS: readonly [name: string, raw: (response: ServerResponse) => void, says: string][] = [
  ['that never comes', () => {}, 'has not answered within 45 seconds'],
  ['that stalls in its body', (to) => void json(to).write('{"totals":'), 'has not answered within 45 seconds'],
  ['that is cut off', (to) => void json(to).end('{"totals":'), 'Something other than the app has answered'],
  ['that is empty', (to) => void json(to).end(), 'Something other than the app has answered'],
  [
    'that is a page to sign in',
    (to) => void to.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Sign in</title>'),
    'Something other than the app has answered',
  ],
  ['that says that nothing has changed', (to) => void to.writeHead(304).end(), 'Something other than the app'],
];
const json = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/json' });

describe.skipIf(!browser).concurrent.each(NO_ANSWERS)('an answer %s', (name, raw, says) => {
  const SCREENS = [
    ['/', 'GET /api/overview', 'Everything is backed up'],
    ['/runs', 'GET /api/runs', 'Runs'],
    [`/runs/${NIGHTLY}`, `GET /api/runs/${NIGHTLY}`, 'Backing up nightly'],
  ] as const;
  const GOOD = {
    ...NAMES,
    ...{ 'GET /api/whoami': ADMIN, 'GET /api/overview': overview(), 'GET /api/runs': { runs: [row()], next: null } },
    [`GET /api/runs/${NIGHTLY}`]: RUNNING,
  };
  const BAD = { ...GOOD, ...Object.fromEntries(SCREENS.map(([, call]) => [call, { raw }])) };

  it.each(SCREENS)('is an error at %s, first and later, and is asked for again', async (path, call, heading) => {
    const own = await serve();
    const context = await browser!.newContext();
    // A second of the page is 20 milliseconds, so that no test waits for its patience.
    await context.addInitScript(() => {
      const native = AbortSignal.timeout.bind(AbortSignal);
      AbortSignal.timeout = (ms) => native(ms / 50);
    });
    const page = await context.newPage();
    const error = page.getByRole('alert').filter({ hasText: says });
    const age = page.getByText(/What follows is as of \d\d:\d\d:\d\d/);
    own.answer(BAD);
    await page.goto(`${own.url}/ui${path}`);
    await error.waitFor({ timeout: 20_000 });
    expect(await age.count()).toBe(0);
    own.answer(GOOD);
    await error.waitFor({ state: 'detached', timeout: 20_000 });
    await page.getByRole('heading', { name: heading, exact: true }).waitFor();
    // With an ETag that it knows, a 304 is an answer.
    if (name.includes('nothing has changed')) return context.close();
    own.answer(BAD);
    await askAgain(page);
    await error.waitFor({ timeout: 20_000 });
    await age.waitFor();
    const asked = () => own.calls.filter(({ method, path: to }) => `${method} ${to.split('?')[0]}` === call).length;
    await expect.poll(asked, { timeout: 20_000 }).toBeGreaterThan(1);
    await context.close();
  });
});

test('the sign-in has the focus in its field, and no search that would take the key', async () => {
  server.answer({
    'GET /api/whoami': ({ headers }: Call) => (headers['x-functions-key'] ? ADMIN : { status: 401 }),
    'GET /api/jobs': { jobs: [] },
  });
  const page = await open('/find');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  const key = page.getByLabel('Key of the app');
  const hasFocus = () => key.evaluate((field) => document.activeElement === field);
  const search = page.getByRole('searchbox', { name: 'Find a file' });
  await expect.poll(hasFocus).toBe(true);
  expect(await search.count()).toBe(0);
  await page.getByRole('link', { name: 'Jobs' }).click();
  await expect.poll(hasFocus).toBe(true);
  await page.keyboard.type('secret');
  await page.keyboard.press('Enter');
  await search.waitFor();
  expect(page.url()).not.toContain('secret');
  await page.close();
});

test('two clicks start one run', async () => {
  const START = 'POST /api/jobs/nightly/runs';
  server.answer({
    'GET /api/whoami': ADMIN,
    'GET /api/overview': overview({ jobs: [job({ state: 'never', restorePoint: null, runs: [] })] }),
    [START]: problem(409, 'run-in-progress', { run: NIGHTLY }),
  });
  const page = await open('/');
  const start = page.getByRole('button', { name: 'Start the first backup of nightly' });
  // In one task, so that the page has not been drawn in between.
  await start.evaluate((button: HTMLElement) => {
    button.click();
    button.click();
  });
  await page.getByRole('link', { name: 'Look at the run in progress' }).waitFor();
  expect(server.calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
  await page.close();
});

test('names that were collected do not outlive the sign-in', async () => {
  const KEPT = [
    {
      point: { id: BEFORE, time: '2026-11-28T22:30:00.000Z' },
      job: 'nightly',
      container: 'images',
      blobs: [{ name: 'secret plan.txt', size: 1 }],
    },
  ];
  const signedIn = { ...ADMIN, via: 'key', signOut: null };
  server.answer({
    'GET /api/whoami': ({ headers }: Call) => (headers['x-functions-key'] ? signedIn : { status: 401 }),
    'GET /api/jobs': { jobs: [] },
  });
  const page = await open('/restore');
  await page.evaluate((kept) => {
    sessionStorage.setItem('strongroom.key', 'k');
    sessionStorage.setItem('strongroom.basket', JSON.stringify(kept));
  }, KEPT);
  await page.reload();
  await page.getByText('secret plan.txt').waitFor();
  await page.getByRole('link', { name: 'ada@example.net' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  const field = page.getByLabel('Key of the app');
  await field.fill('k');
  await field.press('Enter');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await page.getByRole('link', { name: 'Restore', exact: true }).click();
  await page.getByRole('heading', { name: 'What do you want back?' }).waitFor();
  expect(await page.getByText('secret plan.txt').count()).toBe(0);
  await page.close();
});
