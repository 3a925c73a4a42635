import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Answer } from '../../ui/model/answer.ts';
import { newReader, openState } from './open-state.ts';
import type { Answers, Call } from './page-server.ts';
import { ADMIN, job as jobOverview, NO_RULES, overview, report, row } from './states/answers.ts';
import { idOf, job, point, preview, wholePoint } from './states/restore-answers.ts';
import { useChromium } from './use-chromium.ts';

/**
 * A vault of years, with many of everything: what a screen draws and asks for is bounded, at first and after each click
 * on what shows more. Nothing is timed: elements and calls are counted.
 */

const { browser, serve } = await useChromium();
const server = await serve();

const RUNS = 10_000;
const POINTS = 5_000;
const CONTAINERS = 2_000;

const POINT = idOf(29);
const PLAN = 'nightly-20261130T115700Z-p7x2m4';
const hoursAgo = (hours: number) => new Date(Date.UTC(2026, 10, 29, 22, 30) - hours * 3_600_000).toISOString();
const idAt = (time: string) => `nightly-${time.replace(/[-:]|\.\d+/g, '')}-k3f9q2`;
const containerOf = (index: number) => `tenant-${String(index).padStart(4, '0')}`;
const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** A page of so many, as long as it is asked for. */
function pageOf<T>({ path }: Call, count: number, make: (index: number) => T): { items: T[]; next: string | null } {
  const query = new URL(path, 'http://page').searchParams;
  const [from, limit] = [Number(query.get('cursor') ?? 0), Number(query.get('limit') ?? 50)];
  const to = Math.min(count, from + limit);
  return { items: many(to - from, (index) => make(from + index)), next: to < count ? String(to) : null };
}

const runAt = (index: number) => row({ id: idAt(hoursAgo(index)), startedAt: hoursAgo(index) });
const pointAt = (index: number) => point(29, { id: idAt(hoursAgo(index)), time: hoursAgo(index) });
const whole = wholePoint(29, {
  containers: CONTAINERS,
  tables: CONTAINERS,
  containersHeld: many(CONTAINERS, (index) => ({
    ...{ container: containerOf(index), backupContainer: `${containerOf(index)}-backup`, blobs: 3 },
    ...{ failed: 0, skipped: 0 },
  })),
  tablesHeld: many(CONTAINERS, (index) => ({ table: `Tenant${index}`, entities: 4, failed: 0 })),
  notPreserved: {
    containers: Object.fromEntries(many(CONTAINERS, (index) => [containerOf(index), { 'blob-encryption-scope': 1 }])),
    notLookedFor: [],
  },
});
const ofRun = (change: object) =>
  report({
    containersTotal: CONTAINERS,
    containers: many(CONTAINERS, (index) => ({
      ...{ container: containerOf(index), destination: `${containerOf(index)}-backup`, status: 'succeeded' as const },
      counts: { listed: 3, copied: 3, unchanged: 0, skipped: 0, failed: 0 },
      ...{ bytes: { listed: 3, copied: 3 }, requests: { ListBlobs: 1 }, problems: [] },
    })),
    problems: many(CONTAINERS, (index) => ({
      ...{ code: 'access-denied-source', count: 1, container: containerOf(index) },
      ...{ message: `${containerOf(index)}: access is denied`, hint: 'Give this app the role.' },
    })),
    status: 'completed-with-failures',
    ...change,
  });
const policy = { keepDaily: 14 };
const decisions = many(POINTS, (index) => ({
  ...{ id: idAt(hoursAgo(index)), keep: index % 5 === 0, reasons: ['no rule keeps it'] },
}));
const plan: NonNullable<Answer<'getRun'>['plan']> = {
  ...{ job: 'nightly', at: '2026-11-30T11:57:00.000Z', before: '2026-11-29T11:57:00.000Z', marginMs: 0, decisions },
  ...{ remove: decisions.filter(({ keep }) => !keep).map(({ id }) => id), expired: [], keeps: [], braked: [] },
  ...{ reading: [], source: 's', hash: 'h' },
  summary: {
    ...{ keeps: 1_000, removes: 4_000, empties: 0, items: RUNS, bytes: 1, emptiesFrom: '2026-12-01T11:57:00.000Z' },
    held: null,
  },
};

const answers: Answers = {
  'GET /api/whoami': ADMIN,
  'GET /api/jobs': { jobs: many(50, (index) => job(index === 0 ? 'nightly' : `job-${index}`)) },
  'GET /api/jobs/nightly': job('nightly'),
  'GET /api/archives': NO_RULES,
  'GET /api/overview': overview({
    jobs: many(50, (index) => jobOverview({ name: index === 0 ? 'nightly' : `job-${index}` })),
  }),
  'GET /api/runs': (call) => {
    const { items: runs, next } = pageOf(call, RUNS, runAt);
    return { runs, next };
  },
  'GET /api/restore-points': (call) => {
    const { items: restorePoints, next } = pageOf(call, POINTS, pointAt);
    return { restorePoints, next };
  },
  [`GET /api/restore-points/${POINT}`]: whole,
  [`GET /api/restore-points/${idAt(hoursAgo(0))}`]: { ...whole, id: idAt(hoursAgo(0)) },
  [`GET /api/restore-points/${POINT}/blobs`]: { items: [], folders: [], next: null },
  [`GET /api/runs/${POINT}`]: ofRun({ id: POINT }),
  [`GET /api/runs/${PLAN}`]: ofRun({
    ...{ id: PLAN, mode: 'prune', dryRun: true, plan, containers: [] },
    counts: { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0, planned: RUNS },
  }),
  [`GET /api/runs/${PLAN}/outcomes`]: (call) => ({
    ...pageOf(call, RUNS, (index) => ({
      ...{ container: 'images', destination: 'imagesbackup', name: `${index}.jpg`, status: 'planned', size: 1 },
      reason: 'not-needed',
    })),
    total: RUNS,
  }),
  'GET /api/jobs/nightly/retention': {
    ...{ job: 'nightly', policy, isInForce: true, isComplete: true, keeps: 1_000, removes: 4_000, problem: null },
    restorePoints: decisions.map((each, index) => ({ ...each, time: hoursAgo(index), status: 'succeeded' })),
  },
  'GET /api/search': ({ path }) => {
    const { searchParams } = new URL(path, 'http://page');
    const isOlder = searchParams.get('restorePoint') === 'older';
    const page = isOlder ? Number(searchParams.get('cursor') ?? 0) + 1 : 0;
    const time = hoursAgo(page * 1_600);
    const found = { restorePoint: { id: idAt(time), time }, items: [], parts: { scanned: 1, total: 1 } };
    return { ...found, next: isOlder && page < 3 ? String(page) : null };
  },
  'GET /api/blobs/history': ({ path }) => {
    const from = Number(new URL(path, 'http://page').searchParams.get('cursor') ?? 0);
    const versions = many(20, (index) => ({
      ...{ etag: `0x${from + index}`, modified: hoursAgo(from + index), size: 4096 + index },
      restorePoints: [{ id: idAt(hoursAgo(from + index)), time: hoursAgo(from + index) }],
      ...{ first: hoursAgo(from + index), last: hoursAgo(from + index) },
    }));
    return { versions, absent: 0, next: String(from + 20) };
  },
  'POST /api/restores/preview': (() => {
    const of = preview({ items: 6_000, new: 6_000 }, { isNew: true });
    const places = many(CONTAINERS, (index) => ({
      ...{ ...of.containers[0]!, container: containerOf(index), target: 'restored' },
    }));
    const leftOut = many(CONTAINERS, (index) => ({
      ...{
        container: containerOf(index),
        code: 'target-protected',
        message: 'It is protected',
        hint: 'Choose another.',
      },
    }));
    const tables = many(CONTAINERS, (index) => ({ table: `Tenant${index}`, target: `T${index}`, entities: 1 }));
    return { ...of, containers: places, leftOut, tables };
  })(),
};

interface Case {
  screen: string;
  path: string;
  says: string;
  /** What it asks at first, apart from who calls. */
  calls: number;
  /** Elements that it may draw. */
  most?: number;
  /** A click that shows more, how many calls it is, and what is there then. */
  more?: { press: string | RegExp; calls: number; says: string };
  /** What a reader looks for, and finds by a part of its name. */
  filter?: string;
}

/** `<option>`s apart: a browser draws them when a list is opened. */
const MOST_ELEMENTS = 4_500;

const CASES: Case[] = [
  // What is configured is drawn as a whole: 30 days for each job.
  { screen: 'overview', path: '/', says: 'job-49', calls: 1, most: 50 * 200 },
  {
    ...{ screen: 'runs', path: '/runs', says: 'Show earlier runs', calls: 3 },
    more: { press: 'Show earlier runs', calls: 1, says: 'nightly · backup' },
  },
  {
    ...{ screen: 'run', path: `/runs/${POINT}`, says: 'more of 1,900', calls: 3, filter: containerOf(1_987) },
    more: { press: /more of 1,900$/, calls: 0, says: containerOf(199) },
  },
  {
    ...{ screen: 'restore points', path: '/points', says: 'Load more', calls: 2 },
    more: { press: 'Load more', calls: 1, says: 'Load more' },
  },
  {
    ...{
      screen: 'restore point',
      path: `/points/${POINT}`,
      says: 'more of 1,900',
      calls: 1,
      filter: containerOf(1_987),
    },
    more: { press: /more of 1,900$/, calls: 0, says: containerOf(199) },
  },
  // The restore points of a job are asked for once, 1,000 of them, by all that offer them.
  { screen: 'restore', path: '/restore', says: 'more of 3,900', calls: 1 + 5 + 1, filter: containerOf(1_987) },
  {
    ...{ screen: 'a search of all restore points', path: '/find?q=gone', says: 'Nothing found', calls: 2 },
    // As many as the app has answers, not one for each restore point.
    more: { press: 'Look in earlier restore points', calls: 3, says: 'searched all restore points' },
  },
  { screen: 'browse', path: `/points/${POINT}/browse`, says: 'This folder is empty', calls: 1 + 5 + 1 },
  {
    ...{ screen: 'review', path: `/restore/review?point=${POINT}&all=1`, says: 'What would be done', calls: 3 },
    filter: containerOf(1_987),
  },
  {
    ...{ screen: 'versions', path: '/file?job=nightly&container=images&name=a', says: 'Look in earlier', calls: 1 },
    more: { press: 'Look in earlier restore points', calls: 1, says: '0x39' },
  },
  {
    ...{ screen: 'prunes', path: '/prune', says: 'Load more', calls: 2 },
    more: { press: 'Load more', calls: 1, says: 'Load more' },
  },
  {
    ...{ screen: 'plan', path: `/prune/${PLAN}`, says: 'Mark 4,000 restore points', calls: 1 },
    more: { press: /^Show the names of/, calls: 1, says: '199.jpg' },
  },
  { screen: 'retention', path: '/jobs/nightly/retention', says: 'more of 4,900', calls: 1 },
  { screen: 'job', path: '/jobs/nightly', says: 'Backups over time', calls: 3 },
];

const elementsOf = (page: Page) => page.evaluate(() => document.querySelectorAll(':not(option)').length);
const asked = () => server.calls.filter(({ path }) => path !== '/api/whoami').length;

test.each(CASES)('$screen', async ({ screen, path, says, calls, most = MOST_ELEMENTS, more, filter }) => {
  if (!browser) return;
  server.answer(answers);
  const { page, noticed } = await openState(await newReader(browser), server, {
    name: screen,
    path,
    answers,
    says: [],
  });
  const settled = async (text: string, count: number) => {
    await page.getByText(text).first().waitFor();
    await expect.poll(() => page.locator('.waiting, [aria-busy]').count(), { timeout: 10_000 }).toBe(0);
    await expect.poll(asked, { timeout: 10_000 }).toBe(count);
    expect(await elementsOf(page)).toBeLessThan(most);
  };
  await settled(says, calls);
  if (more) {
    await page.getByRole('button', { name: more.press }).first().click();
    await settled(more.says, calls + more.calls);
  }
  if (filter !== undefined) {
    expect(await page.locator('bdi.name', { hasText: filter }).count()).toBe(0);
    await page.getByLabel('Names that contain').first().fill(filter);
    await page.locator('bdi.name', { hasText: filter }).first().waitFor();
    await settled(says.startsWith('more of') ? filter : says, calls + (more?.calls ?? 0));
  }
  expect([noticed, server.faults]).toEqual([[], []]);
  await page.context().close();
});

test('each page of a list is asked for once, however far one goes', async () => {
  if (!browser) return;
  server.answer(answers);
  const state = { name: 'far', path: '/points', answers, says: [] };
  const { page } = await openState(await newReader(browser), server, state);
  const rows = page.locator('tbody tr');
  for (let pages = 1; pages <= 10; pages++) {
    await expect.poll(() => rows.count()).toBe(pages * 100);
    await page.getByRole('button', { name: 'Load more' }).click();
  }
  await expect.poll(() => rows.count()).toBe(1_100);
  const cursors = server.calls
    .filter((call) => call.path.startsWith('/api/restore-points'))
    .map((call) => new URL(call.path, 'http://page').searchParams.get('cursor'));
  expect(cursors).toEqual([null, ...many(10, (index) => String((index + 1) * 100))]);
  await page.context().close();
});
