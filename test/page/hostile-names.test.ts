import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shownName } from '../../ui/model/name.ts';
import { HOSTILE_NAMES } from '../support/builders/hostile-names.ts';
import { newReader, openState } from './open-state.ts';
import type { Answers } from './page-server.ts';
import { ADMIN, NIGHTLY, problem, report } from './states/answers.ts';
import { ALL_POINTS, idOf, job, preview, timeOf, wholePoint } from './states/restore-answers.ts';
import { useChromium } from './use-chromium.ts';

/** Every place that shows names of others shows all of them, as text, and with nothing that cannot be seen. */

const { browser, serve } = await useChromium();
const server = await serve();

const POINT = idOf(29);
const PLAN = 'nightly-20261130T115700Z-p7x2m4';
const common: Answers = {
  'GET /api/whoami': ADMIN,
  'GET /api/jobs': { jobs: [job('nightly')] },
  'GET /api/restore-points': { restorePoints: ALL_POINTS, next: null },
  [`GET /api/restore-points/${POINT}`]: wholePoint(29),
};
const WHEN = { at: '2026-11-29T12:00:03.000Z', modified: '2026-11-29T12:00:00.000Z' };
const rule = {
  ...{ name: 'uploads', timeZone: 'UTC', method: 'auto' },
  reconcile: { schedule: '0 0 * * * *', words: 'every hour', next: [] },
  source: { account: 'SOURCE', container: 'incoming', prefix: '', include: [], exclude: [] },
  destination: { account: 'VAULT', container: '{container}archive', prefix: '', folders: 'none' },
  ...{ events: null, quietMinutes: null, receiptsKept: null, ping: null },
  receipts: { done: 1, claimed: 0, failed: 0, missed: 0, settled: 0, isComplete: true, newest: null },
  poison: { open: 1, oldest: WHEN.at, codes: {}, isComplete: true },
};
const item = (name: string) => ({ container: 'images', destination: 'imagesbackup', name });
const outcomes = (status: string, more: object = {}) => ({
  items: HOSTILE_NAMES.map((name) => ({ ...item(name), status, ...more })),
  ...{ next: null, total: HOSTILE_NAMES.length },
});
const blob = (name: string) => ({
  name,
  size: 1,
  modified: WHEN.modified,
  etag: '0x8DD',
  type: 'block',
  status: 'held',
});
const upload = (name: string, index: number) => ({
  ...{ id: `${index}`, container: 'incoming', name, etag: null, since: WHEN.at, at: WHEN.at, times: 3 },
  ...{ code: 'unsupported-name', message: `Cannot copy “${name}”`, hint: 'Rename the blob.' },
  ...{ state: 'open', settledAt: null, settlement: null },
});
const found = {
  restorePoint: { id: POINT, time: timeOf(29) },
  items: HOSTILE_NAMES.map((name) => ({
    ...{ container: 'images', name, size: 1, modified: WHEN.modified },
    restorePoint: { id: POINT, time: timeOf(29) },
  })),
  ...{ parts: { scanned: 1, total: 1 }, next: null },
};
const press = (name: string | RegExp) => async (page: Page) => page.getByRole('button', { name }).first().click();

interface Place {
  place: string;
  path: string;
  answers: Answers;
  does?: (page: Page) => Promise<void>;
  /** What is shown of each name: all of it by default. */
  shows?: (name: string) => string;
}

const PLACES: Place[] = [
  { place: 'names that were found', path: '/find?q=%25', answers: { ...common, 'GET /api/search': found } },
  {
    place: 'a folder that is browsed',
    path: `/points/${POINT}/browse?container=images`,
    answers: {
      ...common,
      [`GET /api/restore-points/${POINT}/blobs`]: { items: HOSTILE_NAMES.map(blob), folders: [], next: null },
    },
  },
  {
    place: 'what is collected',
    path: `/points/${POINT}/browse?container=images`,
    answers: {
      ...common,
      [`GET /api/restore-points/${POINT}/blobs`]: { items: HOSTILE_NAMES.map(blob), folders: [], next: null },
      'POST /api/restores/preview': preview(
        { items: 1, new: 1 },
        {},
        {
          examples: {
            replaced: HOSTILE_NAMES.map((name) => ({ container: 'images', name })),
            failed: [],
          },
        },
      ),
    },
    does: async (page) => {
      await press(/^Collect these/)(page);
      await page.getByRole('link', { name: 'Restore these' }).click();
      await page.getByRole('link', { name: 'Review' }).click();
      await page.getByText(`${new Set(HOSTILE_NAMES).size} names`).click();
      await page.getByLabel(/^Where it was/).check();
      await page.getByText('Names that differ').click();
    },
  },
  {
    place: 'names of a problem of a run',
    path: `/runs/${NIGHTLY}`,
    answers: {
      ...common,
      [`GET /api/runs/${NIGHTLY}`]: report({
        status: 'completed-with-failures',
        problems: [
          { code: 'source-vanished', count: 12, container: 'images', message: 'Gone', hint: 'Nothing to do.' },
        ],
      }),
      [`GET /api/runs/${NIGHTLY}/outcomes`]: outcomes('failed', { code: 'source-vanished' }),
    },
    does: press(/^Show 12 names/),
    shows: (name) => `images / ${name}`,
  },
  {
    place: 'what a plan would delete',
    path: `/prune/${PLAN}`,
    answers: {
      ...common,
      [`GET /api/runs/${PLAN}`]: report({
        ...{ id: PLAN, mode: 'prune', dryRun: true, status: 'succeeded' },
        counts: { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0, planned: HOSTILE_NAMES.length },
        plan: {
          ...{ job: 'nightly', at: '2026-11-30T11:57:00.000Z', before: '2026-11-29T11:57:00.000Z', marginMs: 0 },
          ...{ decisions: [], remove: [], expired: [], keeps: [], braked: [], reading: [], source: 's', hash: 'h' },
          summary: { keeps: 0, removes: 0, empties: 0, items: 1, bytes: 1, emptiesFrom: WHEN.at, held: null },
        },
      }),
      [`GET /api/runs/${PLAN}/outcomes`]: outcomes('planned', { size: 1, reason: 'not-needed' }),
    },
    does: press(/^Show the names of/),
  },
  {
    place: 'uploads that failed permanently',
    path: '/archives/uploads',
    answers: {
      ...common,
      'GET /api/archives/uploads': rule,
      'GET /api/archives/uploads/poison': { rule: 'uploads', uploads: HOSTILE_NAMES.map(upload), next: null },
    },
    does: async (page) => {
      await press('Show more')(page);
      await press('Show more')(page);
      await page.getByRole('button', { name: 'Settle …' }).nth(HOSTILE_NAMES.indexOf('\u202egnp.exe')).click();
    },
  },
  {
    place: 'receipts',
    path: '/archives/uploads?tab=receipts',
    answers: {
      ...common,
      'GET /api/archives/uploads': rule,
      'GET /api/archives/uploads/receipts': {
        rule: 'uploads',
        receipts: HOSTILE_NAMES.map((name, index) => ({ ...WHEN, etag: `${index}`, name, state: 'done' })),
        next: null,
      },
    },
  },
];

const UNSEEN = /(?![\n\t])[\p{C}\p{Zl}\p{Zp}]|\p{Bidi_Control}/u;

/** All that is on the screen, with titles and labels, which are read out. */
const textOf = (page: Page) =>
  page.evaluate(() => {
    const attributes = [...document.querySelectorAll('[title], [aria-label]')].flatMap((element) => [
      element.getAttribute('title') ?? '',
      element.getAttribute('aria-label') ?? '',
    ]);
    return [document.title, document.body.textContent ?? '', ...attributes].join('\n');
  });

test.each(PLACES)('$place', async ({ place, path, answers, does, shows = (name) => name }) => {
  if (!browser) return;
  server.answer(answers);
  const { page, noticed } = await openState(await newReader(browser), server, { name: place, path, answers, says: [] });
  // Lists draw what is near the window.
  await page.setViewportSize({ width: 1280, height: 40 * HOSTILE_NAMES.length + 2_000 });
  await does?.(page);
  const names = page.locator('bdi.name');
  const wanted = new Set(HOSTILE_NAMES.map((name) => shownName(shows(name))));
  const lacking = async () => {
    const shown = new Set(await names.evaluateAll((all) => all.map((each) => each.textContent)));
    return [...wanted].filter((name) => !shown.has(name));
  };
  await expect.poll(lacking, { timeout: 10_000 }).toEqual([]);
  expect(UNSEEN.exec(await textOf(page))?.[0]).toBeUndefined();
  expect(await page.locator('script[src=""], main script, main img, main iframe').count()).toBe(0);
  expect([noticed, server.faults]).toEqual([[], []]);
  await page.context().close();
});

/** One of each kind that does harm in a title, an address or a sentence. */
const NASTY = [
  '<script>alert(1)</script>',
  '\u202egnp.exe',
  'a\u200bb',
  '../canary/x',
  '%2e%2e%2fcanary%2fx',
  '\\',
  '..',
];

test('screens about one name, whatever it is', async () => {
  if (!browser) return;
  const hidden = { detail: `No container has “\u202egnp.exe”`, hint: 'Look for “\u200b” elsewhere' };
  const answers = {
    ...common,
    'GET /api/blobs/history': { versions: [], absent: 1, next: null },
    'GET /api/search': { ...found, items: [] },
    [`GET /api/restore-points/${POINT}/blobs`]: problem(404, 'container-not-held', hidden),
    'POST /api/restores/preview': preview({ items: 1, new: 1 }, { isNew: true }),
  };
  server.answer(answers);
  const start = { name: 'one', path: '/settings', answers, says: [], expects: /404/ };
  const { page, noticed } = await openState(await newReader(browser), server, start);
  for (const name of NASTY) {
    const text = encodeURIComponent(name);
    const places: [address: string, says: string][] = [
      [`/file?job=nightly&container=images&name=${text}`, 'No version'],
      [`/find?job=nightly&q=${text}&container=${text}`, 'Nothing found'],
      [`/restore/review?point=${POINT}&container=${text}&name=${text}`, 'What would be done'],
      [`/points/${POINT}/browse?container=images&prefix=${encodeURIComponent(`${name}/`)}`, 'No container has'],
    ];
    for (const [address, says] of places) {
      await page.goto(`${server.url}/ui${address}`);
      await page.getByText(says).first().waitFor();
      await expect.poll(() => page.locator('.waiting').count()).toBe(0);
      expect(UNSEEN.exec(await textOf(page))?.[0], address).toBeUndefined();
      const shown = await page.locator('main').innerText();
      // A folder stands apart from the last part of the name.
      expect(shown, address).toContain(shownName(name.slice(name.lastIndexOf('/') + 1)));
    }
  }
  expect([noticed, server.faults]).toEqual([[], []]);
  await page.context().close();
});
