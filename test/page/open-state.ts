import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { PageServer } from './page-server.ts';
import { NOW, type State } from './state.ts';

const WIDE = { width: 1280, height: 900 };

/** A reader in Berlin with a wide screen. */
export function newReader(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({
    ...{ viewport: WIDE, colorScheme: 'light', reducedMotion: 'reduce' },
    ...{ locale: 'en-GB', timezoneId: 'Europe/Berlin' },
  });
}

/** A state in a tab of its own, at its time; and whatever happens there that must not. */
export async function openState(
  reader: BrowserContext,
  server: PageServer,
  state: State,
): Promise<{ page: Page; noticed: string[] }> {
  server.answer(state.answers);
  const page = await reader.newPage();
  await page.clock.setFixedTime(NOW);
  const noticed = watch(page, server, state.expects);
  await page.goto(`${server.url}/ui${state.path}`);
  await state.does?.(page);
  return { page, noticed };
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
