import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { PageServer } from './page-server.ts';
import { NOW, type State } from './state.ts';

const WIDE = { width: 1280, height: 900 };

/** A state in a browser of its own, at its time; and whatever happens there that must not. */
export async function openState(
  browser: Browser,
  server: PageServer,
  state: State,
): Promise<{ context: BrowserContext; page: Page; noticed: string[] }> {
  const context = await browser.newContext({
    viewport: WIDE,
    colorScheme: 'light',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
  });
  const page = await context.newPage();
  await page.clock.setFixedTime(NOW);
  const noticed = watch(page, server, state.expects);
  await page.goto(`${server.url}/ui${state.path}`);
  await state.does?.(page);
  return { context, page, noticed };
}

/** Everything that must not be: violations of the policy are errors in the console. */
function watch(page: Page, server: PageServer, expected: RegExp | undefined): string[] {
  const noticed: string[] = [];
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (expected?.test(message.text()) !== true) noticed.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => noticed.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(server.url) && !url.startsWith('data:')) noticed.push(`request: ${url}`);
  });
  return noticed;
}
