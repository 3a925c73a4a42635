import type { Page } from 'playwright-core';
import { test as always, expect } from 'vitest';
import { newReader, openState } from './open-state.ts';
import type { Answers } from './page-server.ts';
import { ADMIN, overview } from './states/answers.ts';
import { HOLD, idOf, job, point, wholePoint } from './states/restore-answers.ts';
import { useChromium } from './use-chromium.ts';

/** What a reader without a mouse meets, and where the focus is after something has gone. */

const { browser, serve } = await useChromium();
const server = await serve();
const test = always.skipIf(!browser);
const reader = browser && (await newReader(browser));

async function open(path: string, answers: Answers): Promise<Page> {
  const all = { 'GET /api/whoami': ADMIN, 'GET /api/jobs': { jobs: [job('nightly')] }, ...answers };
  const { page } = await openState(reader!, server, { name: 'keyboard', path, answers: all, says: [] });
  return page;
}

const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? '');

test('the first stop skips the frame, and adds no place to go back to', async () => {
  const page = await open('/', { 'GET /api/overview': overview() });
  await page.getByRole('heading', { name: 'Everything is backed up' }).waitFor();
  const before = await page.evaluate(() => history.length);
  await page.keyboard.press('Tab');
  expect(await focused(page)).toContain('Skip to the content');
  await page.keyboard.press('Enter');
  expect(await focused(page)).toContain('Everything is backed up');
  expect(await page.evaluate(() => history.length)).toBe(before);
  await page.close();
});

test('the days of a job are one stop, and the arrows go from day to day', async () => {
  const page = await open('/', { 'GET /api/overview': overview() });
  const days = page.getByRole('list', { name: /^nightly: Last 30 days/ }).getByRole('link');
  await days.last().focus();
  expect(await days.count()).toBe(30);
  expect(await focused(page)).toBe('Mon 30 Nov: no backup');
  for (let day = 0; day < 2; day++) await page.keyboard.press('ArrowLeft');
  expect(await focused(page)).toBe('Sat 28 Nov: succeeded, 1 backup');
  expect(await days.nth(27).locator('.tip').isVisible()).toBe(true);
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowLeft');
  expect(await focused(page)).toBe('Sun 1 Nov: no backup');
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  // Leaving it and coming back leads to the same day.
  await page.keyboard.press('Tab');
  expect(await focused(page)).not.toContain('Nov:');
  await page.keyboard.press('Shift+Tab');
  expect(await focused(page)).toBe('Sun 29 Nov: succeeded, 1 backup');
  server.answer({ 'GET /api/whoami': ADMIN, 'GET /api/jobs': { jobs: [] }, 'GET /api/archives': { archives: [] } });
  await page.keyboard.press('Enter');
  expect(new URL(page.url()).search).toBe('?job=nightly&day=2026-11-29');
  await page.close();
});

test('a hold leaves the focus at the button, which then removes it', async () => {
  const address = `GET /api/restore-points/${idOf(27)}`;
  const answers = {
    [address]: wholePoint(27),
    [`POST /api/restore-points/${idOf(27)}/hold`]: { id: idOf(27), hold: HOLD },
  };
  const page = await open(`/points/${idOf(27)}`, answers);
  await page.getByRole('button', { name: 'Hold it' }).press('Enter');
  await page.getByLabel('Why').fill('audit 2026');
  server.answer({ ...answers, [address]: wholePoint(27, { hold: HOLD }) });
  await page.keyboard.press('Enter');
  await page.getByText('“audit 2026”').waitFor();
  expect(await focused(page)).toBe('Remove the hold');
  await page.close();
});

test('a dialog gives the focus back to the button that opened it', async () => {
  const page = await open(`/points/${idOf(27)}`, { [`GET /api/restore-points/${idOf(27)}`]: wholePoint(27) });
  for (const leave of ['Escape', 'Enter']) {
    await page.getByRole('button', { name: 'Verify it now …' }).press('Enter');
    const dialog = page.getByRole('dialog');
    if (leave === 'Enter') await dialog.getByRole('button', { name: 'Leave it' }).focus();
    await dialog.waitFor();
    await page.keyboard.press(leave);
    await dialog.waitFor({ state: 'detached' });
    expect(await focused(page), leave).toBe('Verify it now …');
  }
  await page.close();
});

test('more of a list leaves what is shown and the focus, also without an answer', async () => {
  const LIST = 'GET /api/restore-points';
  const first = { restorePoints: [point(29), point(28)], next: 'more' };
  const page = await open('/points', { [LIST]: first });
  const more = page.getByRole('button', { name: 'Load more' });
  const rows = page.locator('[data-row]');
  await more.waitFor();
  server.answer({ 'GET /api/whoami': ADMIN });
  await more.press('Enter');
  await page.getByRole('alert').waitFor();
  expect([await rows.count(), await focused(page)]).toEqual([2, 'Load more']);
  server.answer({
    [`${LIST}?limit=100&cursor=more`]: { restorePoints: [point(27)], next: 'last' },
    [`${LIST}?limit=100&cursor=last`]: { restorePoints: [point(26)], next: null },
  });
  await more.press('Enter');
  await expect.poll(() => rows.count()).toBe(3);
  expect(await focused(page)).toBe('Load more');
  await more.press('Enter');
  await expect.poll(() => rows.count()).toBe(4);
  expect([server.calls.length, server.faults]).toEqual([2, []]);
  // The button has gone: one continues at the heading.
  expect(await focused(page)).toBe('Restore points');
  await page.close();
});

test('a search leaves the focus in its field', async () => {
  const none = {
    restorePoint: { id: idOf(29), time: point(29).time },
    items: [],
    parts: { scanned: 1, total: 1 },
    next: null,
  };
  const page = await open('/find?q=a', {
    'GET /api/search': none,
    'GET /api/restore-points': { restorePoints: [point(29)], next: null },
  });
  const field = page.getByRole('searchbox', { name: 'Text' });
  await field.fill('invoice');
  await field.press('Enter');
  await page.getByText('contains “invoice”').waitFor();
  expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
  await page.close();
});
