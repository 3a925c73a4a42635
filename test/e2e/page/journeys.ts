import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runPrefix, summaryPath } from '#domain/run/control-paths.ts';
import { until } from '../../support/app/until.ts';
import { lookInto, snapshotsOf } from '../../support/builders/collection.ts';
import { type FaultRule, isCopy } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';
import type { Hands } from './hands.ts';
import { type Tab, VisitedApp } from './visited-app.ts';

const NAME = '2026/<script>alert(1)</script>/report #1 100%.txt';

/** What people do on the page of a real app. What has come of it is read from storage. */
export function journeys({ press, write, open, find, go, name: hands }: Hands): void {
  let visited: VisitedApp | undefined;
  let tab: Tab;

  beforeAll(async () => {
    visited = await VisitedApp.start();
    if (!visited) return;
    tab = await visited.open('/ui/');
    await signIn(tab.page, visited.keys.ada);
  });
  afterEach(() => {
    if (!visited) return;
    const noticed = tab.noticed.splice(0);
    // Before the sign-in, the first call was refused; a marked restore point answers with 404.
    expect(noticed.filter((text) => !/ status of (401|404) /.test(text))).toEqual([]);
  });
  afterAll(() => visited?.stop());

  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
  const inDialog = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', { name });
  const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name });

  async function signIn(page: Page, key: string): Promise<void> {
    await write(page.getByLabel('Key of the app'), key);
    await press(button(page, 'Sign in with the key'));
  }

  /** A journey begins at an address, as with a bookmark; the browser has kept the key. */
  async function at(address: string): Promise<Page> {
    await tab.page.goto(address);
    return tab.page;
  }

  test(`a first backup, with ${hands}`, async ({ skip }) => {
    if (!visited) return skip();
    const { bed, app } = visited;
    await bed.fill(5, 'first');
    const page = await at('/ui/');
    await heading(page, 'Nothing has been backed up yet').waitFor();
    await press(button(page, 'Start the first backup of first'));
    expect(await visited.endedRun(page)).toMatchObject({ status: 'succeeded', by: { name: 'ada', via: 'key' } });
    await heading(page, 'first: backup succeeded').waitFor();
    await bed.expectBackedUp('first');
    expect(Object.keys(await lookInto(bed.vault.connectionString, 'firstbackup'))).toHaveLength(5);

    await go(page, 'Overview');
    await page.locator('.line', { hasText: 'first' }).getByText('5 blobs').waitFor();
    await go(page, 'Runs');
    await page.getByText('5 copied').waitFor();
    await open(page.getByRole('link', { name: 'first · backup' }));
    await heading(page, 'first: backup succeeded').waitFor();
    expect(app.host.output()).not.toContain(visited.keys.ada);
  });

  test(`a failure that is seen, understood and mended, with ${hands}`, async ({ skip }) => {
    if (!visited) return skip();
    const { bed, app } = visited;
    for (const name of ['a.txt', 'b.txt']) await bed.upload(name, `text of ${name}`, 'mended');
    const rule: FaultRule = {
      match: (request) => isCopy(request) && request.path.endsWith('/mendedbackup/b.txt'),
      answer: () => refusal(403, 'AuthorizationFailure'),
    };
    bed.proxy.rules.push(rule);
    await app.run({}, 'mended');
    bed.proxy.rules.splice(bed.proxy.rules.indexOf(rule), 1);

    const page = await at('/ui/');
    const attention = page.getByRole('heading', { name: /needs? attention/, level: 1 });
    await attention.waitFor();
    await open(page.getByRole('link', { name: /^mended: 1 of 2 failed/ }));
    await page.getByText('access-denied-destination').waitFor();
    await press(button(page, 'Show 1 name'));
    await page.getByText('mended / b.txt').waitFor();
    expect(Object.keys(await lookInto(bed.vault.connectionString, 'mendedbackup'))).toEqual(['a.txt']);
    const failed = page.url();
    await press(button(page, 'Try the 1 that failed again'));
    await page.waitForURL((url) => url.href !== failed);
    expect(await visited.endedRun(page)).toMatchObject({ mode: 'retry', status: 'succeeded', counts: { copied: 1 } });
    await bed.expectBackedUp('mended');
    await go(page, 'Overview');
    await page.locator('.line', { hasText: 'mended' }).waitFor();
    expect(await attention.count()).toBe(0);
  });

  test(`a blob that was lost is found, and restored as it was before, with ${hands}`, async ({ skip }) => {
    if (!visited) return skip();
    const { bed, app } = visited;
    await bed.upload(NAME, 'as it was', 'lost');
    await bed.upload('2026/other.txt', 'other', 'lost');
    const first = await app.run({}, 'lost');
    await bed.upload(NAME, 'spoilt, and longer', 'lost');
    await app.run({ mode: 'incremental' }, 'lost');
    await bed.original('lost').getBlobClient(NAME).delete();
    await app.run({ mode: 'incremental' }, 'lost');
    const contentIn = async (container: string) =>
      (await bed.original(container).getBlobClient(NAME).downloadToBuffer()).toString();

    const page = await at('/ui/find?job=lost');
    // The newest restore point has it no more, earlier ones have.
    await find(page, 'REPORT');
    await page.waitForURL(/[?&]q=REPORT/);
    // The field at the top searches the first job, unless the address had one.
    await page.goto('/ui/find?q=REPORT&job=lost');
    await page.getByText('Nothing found').waitFor();
    await press(button(page, 'Look in earlier restore points'));
    await page.getByRole('main').getByText('1 found').waitFor();
    await open(page.getByRole('link', { name: /report #1 100%/ }));
    const versions = page.getByRole('list', { name: /^Versions/ }).getByRole('listitem');
    await versions.nth(1).waitFor();
    expect(await versions.count()).toBe(2);
    await press(versions.nth(1).getByRole('link', { name: 'Restore this version' }));
    await press(button(page, 'Restore 1 blob to SOURCE / lost-restored'));
    const restored = await visited.endedRun(page);
    expect(restored).toMatchObject({ status: 'succeeded', counts: { copied: 1 }, restore: { point: first.id } });
    expect(await contentIn('lost-restored')).toBe('as it was');
    expect(Object.keys(await lookInto(bed.source.connectionString, 'lost'))).toEqual(['2026/other.txt']);

    // Where it was, from a folder that was browsed. What is there by now stays.
    await at(`/ui/points/${first.id}/browse?container=lost`);
    await open(page.getByRole('link', { name: '2026/' }));
    await press(page.getByRole('link', { name: 'Restore this folder' }));
    await press(page.getByLabel(/^Where it was/));
    await page.getByText('Restore the 1 that is missing').first().waitFor();
    await press(button(page, 'Restore 1 blob to SOURCE / lost'));
    expect(await visited.endedRun(page)).toMatchObject({ status: 'succeeded', counts: { copied: 1, failed: 0 } });
    expect(await contentIn('lost')).toBe('as it was');
  });

  test(`a restore point that is on hold, and a mark that is taken back, with ${hands}`, async ({ skip }) => {
    if (!visited) return skip();
    const { bed, app } = visited;
    const points: string[] = [];
    for (const text of ['one', 'two', 'three']) {
      await bed.upload('a.txt', text, 'held');
      points.push((await app.run({ mode: 'incremental' }, 'held')).id);
    }
    const [held, spare] = points as [string, string];
    const notesOf = async (id: string) => {
      const notes = bed.control.getBlobClient(`jobs/held/restore-points/${id}.json`);
      return JSON.parse(String(await notes.downloadToBuffer())) as { hold?: object; removed?: object };
    };
    const kept = () => snapshotsOf(bed.vault.connectionString, 'heldbackup', 'a.txt');

    const page = await at(`/ui/points/${held}`);
    await press(button(page, 'Hold it'));
    await write(page.getByLabel('Why'), 'audit 2026');
    await press(inDialog(page, 'Hold it'));
    await page.getByText('“audit 2026”').waitFor();
    expect((await notesOf(held)).hold).toMatchObject({ reason: 'audit 2026', by: { name: 'ada', via: 'key' } });

    await at('/ui/prune?job=held');
    await press(button(page, 'Make a plan'));
    expect((await visited.endedRun(page, 'prune')).plan?.remove).toEqual([spare]);
    await carryOut(page, 'held', 'Mark 1 restore point');
    expect((await notesOf(held)).removed).toBeUndefined();
    expect((await notesOf(spare)).removed).toBeDefined();
    // What is marked has all of its content.
    expect(await kept()).toEqual(['one', 'two']);

    await at(`/ui/points/${spare}`);
    await press(button(page, 'Take back the mark'));
    await press(inDialog(page, 'Take back the mark'));
    await page.getByText('What it holds').waitFor();
    expect((await notesOf(spare)).removed).toBeUndefined();
    const restored = { job: 'held', restorePoint: spare, target: { container: 'held-back' } };
    expect(await app.restore(restored)).toMatchObject({ status: 'succeeded' });
    expect(String(await bed.original('held-back').getBlobClient('a.txt').downloadToBuffer())).toBe('two');
  });

  /** Types the name of the job, first a wrong one, and waits for the end of the prune. */
  async function carryOut(page: Page, job: string, words: string) {
    const start = button(page, words);
    const typed = page.getByLabel(`Type ${job} to confirm`);
    const plan = page.url();
    await write(typed, job.toUpperCase());
    await page.keyboard.press('Enter');
    expect(await start.getAttribute('aria-disabled')).toBe('true');
    await write(typed, job);
    await press(start);
    await page.waitForURL((url) => url.href !== plan);
    const done = await visited!.endedRun(page, 'prune');
    expect(done).toMatchObject({ status: 'succeeded', dryRun: false, counts: { failed: 0 } });
    return done;
  }

  test(`a plan that is read by name and carried out, with ${hands}`, async ({ skip }) => {
    if (!visited) return skip();
    const { bed, app } = visited;
    await bed.upload('a.txt', 'before', 'pruned');
    const before = await app.run({}, 'pruned');
    await bed.upload('a.txt', 'after', 'pruned');
    await app.run({ mode: 'incremental' }, 'pruned');
    const kept = () => snapshotsOf(bed.vault.connectionString, 'prunedbackup', 'a.txt');

    const page = await at('/ui/prune?job=pruned');
    await press(button(page, 'Make a plan'));
    const plan = await visited.endedRun(page, 'prune');
    await page.getByText(plan.plan!.hash).waitFor();
    await press(button(page, /^Show the names of/));
    await page.getByRole('cell', { name: 'a.txt' }).waitFor();
    expect(await kept()).toEqual(['before']);
    await carryOut(page, 'pruned', 'Mark 1 restore point and delete 1 item');
    expect(await kept()).toEqual([]);
    await bed.expectBackedUp('pruned');
    const left: string[] = [];
    const prefix = runPrefix({ job: 'pruned', id: before.id });
    for await (const { name } of bed.control.listBlobsFlat({ prefix })) left.push(name);
    expect(left).toEqual([]);
  });

  test(`a restore point that is proved, and damage that is found, with ${hands}`, async ({ skip }) => {
    if (!visited) return skip();
    const { bed, app } = visited;
    for (const name of ['a.txt', 'b.txt']) await bed.upload(name, `text of ${name}`, 'proved');
    const { id } = await app.run({}, 'proved');
    const verify = async (kind: 'Quick' | 'Deep' | 'Drill') => {
      const page = await at(`/ui/points/${id}`);
      await press(button(page, 'Verify it now …'));
      await press(page.getByRole('radio', { name: new RegExp(`^${kind}`) }));
      await press(button(page, `Start the ${kind.toLowerCase()} verification`));
      return visited!.endedRun(page);
    };
    expect(await verify('Deep')).toMatchObject({ status: 'succeeded', verify: { kind: 'deep', portion: '100%' } });
    const drill = await verify('Drill');
    expect(drill).toMatchObject({ status: 'succeeded', counts: { failed: 0 } });
    // It has deleted what it restored, and nothing else.
    const containers: string[] = [];
    const vault = BlobServiceClient.fromConnectionString(bed.vault.connectionString);
    for await (const { name } of vault.listContainers()) containers.push(name);
    expect(containers.filter((name) => name.includes('drill'))).toEqual([]);
    await bed.expectBackedUp('proved');

    const page = await at(`/ui/points/${id}/proof`);
    await page.getByText('2 of 2 items read byte by byte and compared. Nothing was wrong.').waitFor();
    const downloading = page.waitForEvent('download');
    await press(button(page, 'Download as JSON'));
    const download = await downloading;
    expect(download.suggestedFilename()).toBe(`proof-${id}.json`);
    const proof = JSON.parse(await readFile(await download.path(), 'utf8'));
    const summary = await bed.control.getBlobClient(summaryPath({ job: 'proved', id })).downloadToBuffer();
    expect(proof.summary.sha256).toBe(createHash('sha256').update(summary).digest('hex'));

    await bed.backup('provedbackup').getBlobClient('b.txt').delete();
    expect(await verify('Quick')).toMatchObject({ status: 'completed-with-failures', counts: { failed: 1 } });
    await press(button(page, 'Show 1 name'));
    await page.getByText('proved / b.txt').waitFor();
    await at(`/ui/points/${id}/proof`);
    await page.getByText(/1 .*not as backed up/).waitFor();
  });

  test(`uploads that failed permanently are archived or settled, with ${hands}`, async ({ skip }) => {
    if (!visited) return skip();
    const { bed, room } = visited;
    const rule: FaultRule = {
      match: (request) => isCopy(request) && request.path.includes('/incomingarchive/'),
      answer: () => refusal(403, 'AuthorizationFailure'),
    };
    bed.proxy.rules.push(rule);
    for (const name of ['a.txt', 'never.txt']) {
      await room.tell({ container: 'incoming', name, etag: await room.upload(name, `text of ${name}`) });
    }
    await until(async () => (await room.poison()).length === 2);
    bed.proxy.rules.splice(bed.proxy.rules.indexOf(rule), 1);

    const page = await at('/ui/archives');
    await page.getByText('2 uploads failed permanently').waitFor();
    await open(page.getByRole('link', { name: 'uploads' }));
    await press(page.getByRole('listitem').filter({ hasText: 'never.txt' }).getByRole('button', { name: 'Settle …' }));
    await write(page.getByLabel('Why'), 'a test');
    await press(inDialog(page, 'Settle it'));
    await page.getByText('1 upload', { exact: true }).waitFor();
    await press(button(page, 'Try all again'));
    const run = await visited.endedRun(page);
    expect(run).toMatchObject({ mode: 'reprocess', status: 'succeeded', counts: { copied: 1 } });
    expect(await room.archived()).toEqual({ 'a.txt': 'text of a.txt' });

    await at('/ui/archives/uploads?tab=receipts');
    await open(page.getByRole('link', { name: 'never.txt' }));
    await page.getByText('Settled by the key ada').waitFor();
  });

  test(`someone who only reads sees all and changes nothing, with ${hands}`, async ({ skip }) => {
    if (!visited) return skip();
    const { bed, keys } = visited;
    const id = await pointOf(visited, 'first');
    const before = await writtenIn(bed.vault.connectionString);
    const reader = await visited.open('/ui/');
    const { page } = reader;
    await signIn(page, keys.rita);
    await heading(page, 'Sign in').waitFor({ state: 'detached' });
    const denied: [address: string, names: RegExp[]][] = [
      ['/ui/jobs/first', [/^Back up now/, /^Preview$/, /^Full backup$/, /^Pause schedules$/]],
      [`/ui/points/${id}`, [/^Verify it now/, /^Hold it$/]],
      ['/ui/prune?job=first', [/^Make a plan$/]],
      ['/ui/archives/uploads', [/^Reconcile now$/]],
      [`/ui/file?job=first&container=first&name=blob-000`, [/^Restore this version$/]],
      ['/ui/settings', [/^Rebuild the list$/]],
    ];
    for (const [address, names] of denied) {
      await page.goto(address);
      for (const name of names) {
        const each = button(page, name).first();
        await each.waitFor();
        expect(await each.getAttribute('aria-disabled'), `${address} ${name}`).toBe('true');
        await press(each);
      }
      expect(await page.getByRole('dialog').count(), address).toBe(0);
      await page
        .getByText(/You may not do this: it needs the role/)
        .first()
        .waitFor();
    }
    await page.goto(`/ui/restore/review?point=${id}&all=1`);
    await page.getByText('You may not do this: it needs the role restorer or admin.').waitFor();
    expect(reader.sent).toEqual([]);
    expect(await writtenIn(bed.vault.connectionString)).toEqual(before);
    expect(reader.noticed.filter((text) => !text.includes('401'))).toEqual([]);
    await reader.context.close();
  });

  test(`someone who has not signed in sees nothing, with ${hands}`, async ({ skip }) => {
    if (!visited) return skip();
    const { keys } = visited;
    const id = await pointOf(visited, 'first');
    const stranger = await visited.open('/ui/');
    const { page } = stranger;
    const answered: number[] = [];
    page.on('response', (response) => {
      if (new URL(response.url()).pathname.startsWith('/api/')) answered.push(response.status());
    });
    for (const address of ['/ui/', '/ui/runs', '/ui/find?q=blob', '/ui/archives', `/ui/points/${id}`]) {
      await page.goto(address);
      await heading(page, 'Sign in').waitFor();
      expect(await page.locator('body').innerText(), address).not.toMatch(
        /blob-000|uploads|SOURCE|succeeded|Set one up/,
      );
    }
    expect([...new Set(answered)]).toEqual([401]);
    await signIn(page, 'a key that the app does not have');
    await page.getByText('This key is not one of the app').waitFor();
    await signIn(page, keys.ada);
    // Where the reader wanted to go.
    await page.getByText('What it holds').waitFor();
    await press(page.getByRole('contentinfo').getByRole('link', { name: 'ada' }));
    await press(button(page, 'Sign out'));
    await heading(page, 'Sign in').waitFor();
    await page.goBack();
    await heading(page, 'Sign in').waitFor();
    expect(await page.locator('body').innerText()).not.toContain('What it holds');
    const kept = await page.evaluate(() => JSON.stringify([sessionStorage, localStorage]));
    for (const key of Object.values(keys)) expect(kept).not.toContain(key);
    expect(stranger.sent).toEqual([]);
    await stranger.context.close();
  });
}

/** A restore point of a job with `blob-000`, whichever journey has made it. */
async function pointOf({ app, bed }: VisitedApp, job: string): Promise<string> {
  const [point] = (await app.call('GET', `/api/restore-points?job=${job}`)).body.restorePoints as unknown as [Id?];
  if (point) return point.id;
  await bed.fill(1, job);
  return (await app.run({}, job)).id;
}

interface Id {
  id: string;
}

/** The ETag of everything in an account, but for what the watch notes by the clock. */
async function writtenIn(connectionString: string): Promise<Record<string, string>> {
  const account = BlobServiceClient.fromConnectionString(connectionString);
  const etags: Record<string, string> = {};
  for await (const container of account.listContainers()) {
    for await (const { name, properties } of account.getContainerClient(container.name).listBlobsFlat()) {
      if (!name.startsWith('watch/')) etags[`${container.name}/${name}`] = properties.etag;
    }
  }
  return etags;
}
