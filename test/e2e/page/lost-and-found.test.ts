import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from '../../page/chromium.ts';
import { type Archiving, startArchiving } from '../../support/app/archiving.ts';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { until } from '../../support/app/until.ts';
import { isCopy } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';

/** What people do on the page, on the real app: they lose, find and restore, hold, verify, prune and archive. */

const bed = useTestBed();
let browser: Browser | undefined;

beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser?.close());

const NAME = '2026/<script>alert(1)</script>/report #1 100%.txt';
const NIGHTLY = {
  name: 'nightly',
  source: { account: 'SOURCE', containers: ['data'] },
  destination: { account: 'VAULT', container: '{container}backup' },
  retention: { keepLast: 1 },
};

/** A tab of the page. `noticed` has every error, refused request and call elsewhere. */
async function open(app: Strongroom, address: string): Promise<{ page: Page; noticed: string[] }> {
  const page = await browser!.newPage({ baseURL: app.host.url, viewport: { width: 1100, height: 800 } });
  page.setDefaultTimeout(15_000);
  const noticed: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) noticed.push(message.text());
  });
  page.on('pageerror', (error) => noticed.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(app.host.url) && !request.url().startsWith('data:')) noticed.push(request.url());
  });
  await page.goto(address);
  return { page, noticed };
}

/** The run that the page has gone to, once it has ended. */
async function endedRun(app: Strongroom, page: Page, below = 'runs') {
  await page.waitForURL(new RegExp(`/ui/${below}/[a-z]+-\\d{8}T`));
  return app.ended(new URL(page.url()).pathname.split('/').at(-1)!);
}

async function startBoth(): Promise<Archiving> {
  return startArchiving(bed.source, bed.vault, { proxy: bed.proxy, jobs: [NIGHTLY], dataDir: bed.dataDir });
}

test('a blob that was lost is found by name, and restored as it was before', async ({ skip }) => {
  if (!browser) return skip();
  await bed.upload(NAME, 'as it was');
  await bed.upload('2026/other.txt', 'other');
  const app = await bed.start({ job: NIGHTLY });
  const first = await app.run();
  await bed.upload(NAME, 'spoilt, and longer');
  await app.run({ mode: 'incremental' });
  await bed.original().getBlobClient(NAME).delete();
  await app.run({ mode: 'incremental' });

  const { page, noticed } = await open(app, '/ui/settings');
  // By keyboard: the newest restore point has it no more, earlier ones have.
  await page.keyboard.press('/');
  await page.keyboard.type('REPORT');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing found').waitFor();
  await page.getByRole('button', { name: 'Look in earlier restore points' }).press('Enter');
  await page.getByText('1 found').waitFor();
  await page.getByRole('searchbox', { name: 'Text' }).press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');

  const versions = page.getByRole('list', { name: /^Versions/ }).getByRole('listitem');
  await versions.nth(1).waitFor();
  expect(await versions.count()).toBe(2);
  await versions.nth(1).getByRole('link', { name: 'Restore this version' }).click();
  await page.getByRole('button', { name: 'Restore 1 blob to SOURCE / data-restored' }).click();
  const restored = await endedRun(app, page);
  expect(restored).toMatchObject({ status: 'succeeded', counts: { copied: 1 }, restore: { point: first.id } });
  const content = await bed.original('data-restored').getBlobClient(NAME).downloadToBuffer();
  expect(content.toString()).toBe('as it was');

  // Where it was, from a folder that was browsed. What is there by now stays.
  await page.goto(`/ui/points/${first.id}/browse?container=data`);
  await page.getByRole('link', { name: '2026/' }).click();
  await page.getByRole('link', { name: 'Restore this folder' }).click();
  await page.getByLabel(/^Where it was/).check();
  await page.getByText('Restore the 1 that is missing').first().waitFor();
  await page.getByRole('button', { name: 'Restore 1 blob to SOURCE / data' }).click();
  expect(await endedRun(app, page)).toMatchObject({ status: 'succeeded', counts: { copied: 1, failed: 0 } });
  expect((await bed.original().getBlobClient(NAME).downloadToBuffer()).toString()).toBe('as it was');
  expect(noticed).toEqual([]);
});

test('restore points are held, verified and pruned, and failed uploads are tried again', async ({ skip }) => {
  if (!browser) return skip();
  await bed.upload('a.txt', 'a');
  const room = await startBoth();
  const { app } = room;
  bed.apps.push(app);
  const held = await app.run();
  const spare = await app.run();
  const newest = await app.run();

  const { page, noticed } = await open(app, `/ui/points/${held.id}`);
  await page.getByRole('button', { name: 'Hold it' }).click();
  await page.getByLabel('Why').fill('audit 2026');
  await page.getByRole('dialog').getByRole('button', { name: 'Hold it' }).click();
  await page.getByText('“audit 2026”').waitFor();

  await page.goto(`/ui/points/${newest.id}`);
  await page.getByRole('button', { name: 'Verify it now …' }).click();
  await page.getByLabel(/^Deep/).check();
  await page.getByRole('button', { name: 'Start the deep verification' }).click();
  expect(await endedRun(app, page)).toMatchObject({ status: 'succeeded', verify: { kind: 'deep', portion: '100%' } });
  await page.goto(`/ui/points/${newest.id}/proof`);
  await page.getByText('1 of 1 item read byte by byte and compared. Nothing was wrong.').waitFor();
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download as JSON' }).click();
  expect((await downloading).suggestedFilename()).toBe(`proof-${newest.id}.json`);

  await page.goto('/ui/prune');
  await page.getByRole('button', { name: 'Make a plan' }).click();
  const plan = (await endedRun(app, page, 'prune')) as { plan?: { remove: string[]; hash: string } };
  expect(plan.plan?.remove).toEqual([spare.id]);
  await page.getByText(plan.plan!.hash).waitFor();
  const carryOut = page.getByRole('button', { name: /^Mark 1 restore point/ });
  const before = page.url();
  await page.getByLabel(/^Type nightly to confirm/).fill('Nightly');
  await page.keyboard.press('Enter');
  expect(await carryOut.getAttribute('aria-disabled')).toBe('true');
  await page.getByLabel(/^Type nightly to confirm/).fill('nightly');
  await carryOut.click();
  await page.waitForURL((url) => url.href !== before);
  expect(await endedRun(app, page, 'prune')).toMatchObject({ status: 'succeeded', dryRun: false });
  await page.goto(`/ui/points/${spare.id}`);
  await page.getByRole('button', { name: 'Take back the mark' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take back the mark' }).click();
  await page.getByText('What it holds').waitFor();

  bed.proxy.rules.push({ match: isCopy, answer: () => refusal(403, 'AuthorizationFailure') });
  await room.tell({ container: 'incoming', name: 'b.txt', etag: await room.upload('b.txt', 'b') });
  await until(async () => (await room.poison()).length === 1);
  bed.proxy.rules.length = 0;
  await page.goto('/ui/archives');
  await page.getByText('1 upload failed permanently').waitFor();
  await page.getByRole('link', { name: 'uploads' }).click();
  await page.getByRole('button', { name: 'Try all again' }).click();
  expect(await endedRun(app, page)).toMatchObject({ mode: 'reprocess', status: 'succeeded', counts: { copied: 1 } });
  expect(await room.archived()).toEqual({ 'b.txt': 'b' });
  // The marked restore point answers with 404, which the page shows in its own words.
  expect(noticed.filter((text) => !text.includes('404'))).toEqual([]);
});
