import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type axe from 'axe-core';
import type { BrowserContext, Page } from 'playwright-core';
import { openState } from './open-state.ts';
import type { PageServer } from './page-server.ts';
import { isUnderstood } from './read-command.ts';
import type { State } from './state.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const NARROW = { width: 320, height: 700 };
const PATIENCE_MS = 10_000;
/** A folder for pictures of every state; none are made without it. */
const PICTURES = process.env.STRONGROOM_PICTURES;

/** What a program can see of WCAG 2.2 AA. */
const ALL_RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** What colors and widths change of it. */
const OF_LOOKS = ['color-contrast', 'target-size', 'scrollable-region-focusable'];

/** What is wrong with a state. */
export interface Findings {
  /** What it should say, and does not. */
  unsaid: string[];
  /** A title of the tab with a part that is empty, as where a name is not known. */
  titles: string[];
  /** Rules of WCAG 2.2 AA that it breaks, as far as a program can see it. */
  violations: string[];
  /** Pixels by which it is wider than a small screen. */
  overflow: number;
  /** Errors, violations of the content security policy, and requests to elsewhere. */
  noticed: string[];
  /** Commands to copy that the command line does not understand. */
  commands: string[];
  /** Calls without an answer, and answers that the contract does not have. */
  faults: string[];
}

export const NOTHING_WRONG: Findings = {
  ...{ unsaid: [], titles: [], violations: [], overflow: 0 },
  ...{ noticed: [], commands: [], faults: [] },
};

/** Opens a state, and looks at it twice: light and wide, then dark and narrow. */
export async function inspectState(reader: BrowserContext, server: PageServer, state: State): Promise<Findings> {
  const { page, noticed } = await openState(reader, server, state);
  try {
    const unsaid = await unsaidOf(page, state);
    const title = await page.title();
    const titles = title.split('·').some((part) => part.trim() === '') ? [title] : [];
    await picture(page, state, 'light');
    // Once for both looks: it is a large script.
    await page.evaluate(AXE);
    const violations = await audit(page, ALL_RULES);
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture(page, state, 'dark');
    await page.setViewportSize(NARROW);
    violations.push(...(await audit(page, OF_LOOKS)));
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    await picture(page, state, 'narrow');
    const commands = (await offeredCommands(page)).filter((line) => !isUnderstood(line));
    return {
      unsaid,
      titles,
      violations,
      overflow: Math.max(0, overflow),
      noticed,
      commands,
      faults: [...server.faults],
    };
  } finally {
    await page.close();
  }
}

async function unsaidOf(page: Page, { says }: State): Promise<string[]> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const text = await page.locator('body').innerText();
    const unsaid = says.filter((said) => (typeof said === 'string' ? !text.includes(said) : !said.test(text)));
    const isLoading = await page.locator('.waiting').count();
    if (unsaid.length === 0 && isLoading === 0) return [];
    if (performance.now() > until) return [...unsaid.map(String), ...(isLoading ? ['It is still loading'] : [])];
    await page.waitForTimeout(20);
  }
}

function offeredCommands(page: Page): Promise<string[]> {
  return page.evaluate((words) => {
    const labels = [...document.querySelectorAll(`[aria-label^="${words}"]`)].map((each) => each.ariaLabel!);
    const shown = [...document.querySelectorAll('details > .command pre')].map((each) => each.textContent);
    return [...labels.map((label) => label.slice(words.length)), ...shown];
  }, 'Copy as command ');
}

/** Only what is wrong leaves the browser: a report of all that is right is long. */
function audit(page: Page, runOnly: string[]): Promise<string[]> {
  return page.evaluate(
    async (options: axe.RunOptions) => {
      const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(document, options);
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary?.split('\n')[1] ?? ''}`),
      );
    },
    { runOnly, resultTypes: ['violations'] } satisfies axe.RunOptions,
  );
}

async function picture(page: Page, { name }: State, kind: string): Promise<void> {
  if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name}-${kind}.png`), fullPage: true });
}
