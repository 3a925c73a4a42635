import { expect, test } from 'vitest';
import { newReader, openState } from './open-state.ts';
import type { Call } from './page-server.ts';
import { ADMIN } from './states/answers.ts';
import { ALL_POINTS, idOf, job, wholePoint } from './states/restore-answers.ts';
import { useChromium } from './use-chromium.ts';

const { browser, serve } = await useChromium();

const COUNT = 100_000;
const nameOf = (index: number) => `scans/${String(index).padStart(6, '0')}.tif`;

/** A page of the folder, as long as it is asked for. */
function page({ path }: Call) {
  const query = new URL(path, 'http://page').searchParams;
  const [from, limit] = [Number(query.get('cursor') ?? 0), Number(query.get('limit'))];
  const to = Math.min(COUNT, from + limit);
  const items = Array.from({ length: to - from }, (_, index) => ({
    ...{ name: nameOf(from + index), size: 4096, modified: '2026-11-20T10:00:00.000Z', etag: '0x8DD' },
    ...{ type: 'block', status: 'held' },
  }));
  return { items, folders: [], next: to < COUNT ? String(to) : null };
}

test.skipIf(!browser)('a folder of 100,000 names can be scrolled to its end, and few of them are drawn', async () => {
  const server = await serve();
  const answers = {
    'GET /api/whoami': ADMIN,
    'GET /api/jobs': { jobs: [job('nightly')] },
    'GET /api/restore-points': { restorePoints: ALL_POINTS, next: null },
    [`GET /api/restore-points/${idOf(29)}`]: wholePoint(29),
    [`GET /api/restore-points/${idOf(29)}/blobs`]: page,
  };
  const path = `/points/${idOf(29)}/browse?container=images&prefix=scans%2F`;
  const state = { name: 'long', path, answers, says: [] };
  const { page: tab, noticed } = await openState(await newReader(browser!), server, state);
  const more = tab.getByRole('button', { name: 'Load more' });
  await more.click();
  await tab.getByText('100,000 blobs').waitFor();
  for (const at of [0.1, 0.5, 0.9, 1]) {
    await tab.evaluate((part) => window.scrollTo(0, document.documentElement.scrollHeight * part), at);
    await expect.poll(() => tab.locator('.long-list a').count(), { timeout: 10_000 }).toBeGreaterThan(20);
  }
  await tab.getByRole('link', { name: nameOf(COUNT - 1).slice(6) }).waitFor();
  expect(await tab.locator('.long-list a').count()).toBeLessThan(120);
  expect([noticed, server.faults]).toEqual([[], []]);
});
