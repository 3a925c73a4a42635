import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from './chromium.ts';
import { PageServer } from './page-server.ts';
import { ADMIN, NIGHTLY, problem, report } from './states/answers.ts';

/** How the page asks: what it sends, when it asks again, and what it shows if there is no answer. */

let browser: Browser | undefined;
let server: PageServer;

beforeAll(async () => {
  [browser, server] = await Promise.all([startChromium(), PageServer.start()]);
});

afterAll(async () => {
  await browser?.close();
  server?.stop();
});

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

test('a run in progress is asked for again, with the ETag of the last answer, and stays while there is no other', async ({
  skip,
}) => {
  if (!browser) return skip();
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

test('a key is sent as a header, in no address, and is gone after signing out', async ({ skip }) => {
  if (!browser) return skip();
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

test('a hidden page does not ask, and asks at once when it is shown again', async ({ skip }) => {
  if (!browser) return skip();
  server.answer(ANSWERS);
  const page = await open(`/runs/${NIGHTLY}`);
  await page.getByRole('heading', { name: 'Backing up nightly' }).waitFor();
  const show = (isHidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  await show(true);
  const before = asks().length;
  await page.waitForTimeout(3_500);
  expect(asks().length).toBe(before);
  await show(false);
  await expect.poll(() => asks().length, { timeout: 1_000 }).toBe(before + 1);
  await page.close();
});
