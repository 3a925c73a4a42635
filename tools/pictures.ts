// Writes the pictures of the page that the documents show, from states of its tests.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startChromium } from '../test/page/chromium.ts';
import { openState } from '../test/page/open-state.ts';
import { PageServer } from '../test/page/page-server.ts';
import { PICTURES } from '../test/page/states/pictures.ts';

const FOLDER = join(import.meta.dirname, '../docs/pictures');

const browser = await startChromium();
if (!browser) process.exit(1);
const server = await PageServer.start();
mkdirSync(FOLDER, { recursive: true });
for (const { height, ...state } of PICTURES) {
  server.answer(state.answers);
  const { context, page } = await openState(browser, server, state);
  await page.setViewportSize({ width: 1180, height });
  await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.screenshot({ path: join(FOLDER, `${state.name}-${colorScheme}.png`) });
  }
  await context.close();
}
await browser.close();
server.stop();
