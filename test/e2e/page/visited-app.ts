import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { RunReport } from '#domain/run/run.ts';
import { startChromium } from '../../page/chromium.ts';
import { type Archiving, startArchiving } from '../../support/app/archiving.ts';
import { TestBed } from '../../support/app/test-bed.ts';

const job = (name: string, more: object = {}) => ({
  name,
  source: { account: 'SOURCE', containers: [name] },
  destination: { account: 'VAULT', container: '{container}backup' },
  ...more,
});

/** A job for each journey, so that none depends on another. */
const JOBS = [
  job('first'),
  job('mended'),
  job('lost'),
  job('held', { retention: { keepLast: 1 } }),
  job('proved'),
  // What is marked is deleted by the same prune.
  job('pruned', { retention: { keepLast: 1, marginHours: 0 } }),
];

const KEYS = { ada: 'the key of ada, who may do everything', rita: 'the key of rita, who only reads' };

/** A tab of the page. `noticed` has every error, and every request to elsewhere; `sent` each call that is no GET. */
export interface Tab {
  page: Page;
  context: BrowserContext;
  noticed: string[];
  sent: string[];
}

/** An app that many journeys share, and a browser to visit it with. It asks for keys: `ada` is an admin. */
export class VisitedApp {
  readonly bed = new TestBed();
  readonly keys = KEYS;
  room!: Archiving;
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Undefined without a browser. */
  static async start(): Promise<VisitedApp | undefined> {
    const browser = await startChromium();
    if (!browser) return undefined;
    const visited = new VisitedApp(browser);
    const { bed } = visited;
    await bed.open();
    visited.room = await startArchiving(bed.source, bed.vault, {
      ...{ proxy: bed.proxy, dataDir: bed.dataDir, jobs: JOBS, key: KEYS.ada, limits: { retryDelayMs: 5 } },
      more: {
        access: {
          keys: [
            { name: 'ada', setting: 'KEY_OF_ADA', role: 'admin' },
            { name: 'rita', setting: 'KEY_OF_RITA', role: 'reader' },
          ],
        },
      },
      env: { STRONGROOM_AUTH: 'keys', KEY_OF_ADA: KEYS.ada, KEY_OF_RITA: KEYS.rita },
    });
    bed.apps.push(visited.room.app);
    return visited;
  }

  get app() {
    return this.room.app;
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.bed.close();
  }

  async open(address: string): Promise<Tab> {
    const context = await this.#browser.newContext({
      baseURL: this.app.host.url,
      viewport: { width: 1100, height: 800 },
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const tab: Tab = { page, context, noticed: [], sent: [] };
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) tab.noticed.push(message.text());
    });
    page.on('pageerror', (error) => tab.noticed.push(error.message));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(this.app.host.url) && !/^(data|blob):/.test(url)) tab.noticed.push(url);
      if (request.method() !== 'GET') tab.sent.push(`${request.method()} ${new URL(url).pathname}`);
    });
    await page.goto(address);
    return tab;
  }

  /** The run that the page has gone to, once it has ended. */
  async endedRun(page: Page, below = 'runs'): Promise<RunReport & { plan?: { remove: string[]; hash: string } }> {
    await page.waitForURL(new RegExp(`/ui/${below}/[a-z]+-\\d{8}T`));
    return this.app.ended(new URL(page.url()).pathname.split('/').at(-1)!);
  }
}
