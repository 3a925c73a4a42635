import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { openState } from './open-state.ts';
import type { PageServer } from './page-server.ts';
import type { State } from './state.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const NARROW = { width: 320, height: 700 };
/** A folder for pictures of every state; none are made without it. */
const PICTURES = process.env.STRONGROOM_PICTURES;

/**
 * Opens a state, and checks it light and dark, wide and narrow: what it says, WCAG 2.2 AA as far as a program can see
 * it, nothing that the content security policy forbids, no error, and no request to elsewhere.
 */
export async function checkState(browser: Browser, server: PageServer, state: State): Promise<void> {
  server.answer(state.answers);
  const { context, page, noticed } = await openState(browser, server, state);
  try {
    const text = () => page.locator('body').innerText();
    for (const said of state.says) {
      await expect.poll(text, { message: `${state.name} says ${said}`, timeout: 5000 }).toMatch(patternOf(said));
    }
    await page.waitForFunction(() => !document.querySelector('[aria-busy=true].waiting'));
    await picture(page, state, 'light');
    const violations = await audit(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    violations.push(...(await audit(page, ['color-contrast'])));
    await picture(page, state, 'dark');
    await page.setViewportSize(NARROW);
    violations.push(...(await audit(page, ['target-size', 'scrollable-region-focusable'])));
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    await picture(page, state, 'narrow');
    expect({ violations, overflow, noticed, faults: server.faults }).toEqual({
      violations: [],
      overflow: 0,
      noticed: [],
      faults: [],
    });
  } finally {
    await context.close();
  }
}

async function audit(page: Page, only?: string[]): Promise<string[]> {
  await page.evaluate(AXE);
  const options: axe.RunOptions = only
    ? { runOnly: only }
    : { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
  const found = await page.evaluate(
    (given) => (window as unknown as { axe: typeof axe }).axe.run(document, given),
    options,
  );
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary?.split('\n')[1] ?? ''}`),
  );
}

async function picture(page: Page, { name }: State, kind: string): Promise<void> {
  if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name}-${kind}.png`), fullPage: true });
}

function patternOf(said: string | RegExp): RegExp {
  return typeof said === 'string' ? new RegExp(said.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : said;
}
