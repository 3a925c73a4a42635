import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from '../../page/chromium.ts';
import { useTestBed } from '../../support/app/test-bed.ts';

const bed = useTestBed({ app: { limits: { retryDelayMs: 5 } } });
let browser: Browser | undefined;

beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser?.close());

test('the app serves the page at its root, and the API where it was', async () => {
  await bed.fill(1, 'images');
  const app = await bed.start();
  const home = await fetch(app.host.url, { redirect: 'manual' });
  expect([home.status, home.headers.get('location')]).toEqual([302, '/ui/']);
  const page = await fetch(`${app.host.url}/ui/runs/any`);
  expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-cache']);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  for (const [path, status] of [
    ['/', 302],
    ['/ui/', 200],
    ['/ui/runs/any', 200],
    ['/ui/other.js', 404],
  ] as const) {
    const head = await fetch(app.host.url + path, { method: 'HEAD', redirect: 'manual' });
    expect([head.status, await head.text()], path).toEqual([status, '']);
  }
  for (const path of ['/api/live', '/api/jobs']) expect((await fetch(app.host.url + path)).status, path).toBe(200);
  for (const path of ['/live', '/jobs', '/other']) expect((await fetch(app.host.url + path)).status, path).toBe(404);
  expect(await app.host.printed(/^Open http:\S+\/ in a browser to see it\.$/m, 5_000)).toBe(true);
});

test('a first backup from the page, with the keyboard', async ({ skip }) => {
  if (!browser) return skip();
  await bed.fill(5, 'images');
  const app = await bed.start();
  const page = await browser.newPage();
  try {
    await page.goto(app.host.url);
    await page.getByRole('heading', { name: 'Nothing has been backed up yet' }).waitFor();
    await page.getByRole('button', { name: 'Start the first backup of nightly' }).focus();
    await page.keyboard.press('Enter');
    // A run of five blobs may have ended before the page asks.
    await page.getByRole('heading', { name: /^(Backing up nightly|nightly: backup succeeded)$/ }).waitFor();
    await page.getByRole('heading', { name: 'nightly: backup succeeded' }).waitFor({ timeout: 30_000 });
    await page.keyboard.press('g');
    await page.keyboard.press('o');
    await page.getByRole('heading', { name: 'Everything is backed up' }).waitFor({ timeout: 20_000 });
    expect(await page.locator('.line').first().innerText()).toContain('5 blobs');
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
    await page.getByText('5 copied').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'nightly: backup succeeded' }).waitFor();
  } finally {
    await page.close();
  }
});
