import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where a Chromium may be installed, after the one that the setting names. */
const USUAL = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/**
 * A Chromium without windows: the one in `STRONGROOM_CHROMIUM`, an installed one, or on Linux that of a package.
 * Undefined if there is none: then the tests of the page are skipped, unless `STRONGROOM_REQUIRE_BROWSER` is set.
 */
export async function startChromium(): Promise<Browser | undefined> {
  const found = await findChromium();
  if (found) return chromium.launch(found);
  const missing = 'There is no Chromium for the tests of the page. Name one in STRONGROOM_CHROMIUM.';
  if (process.env.STRONGROOM_REQUIRE_BROWSER) throw new Error(missing);
  console.warn(missing);
  return undefined;
}

async function findChromium(): Promise<{ executablePath: string; args?: string[] } | undefined> {
  const { STRONGROOM_CHROMIUM: named } = process.env;
  if (named) return { executablePath: named };
  const installed = USUAL.find((path) => existsSync(path));
  if (installed) return { executablePath: installed };
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const { default: packaged } = await import('@sparticuz/chromium');
  // Without a sandbox: it is in a package, so nothing has set up what a sandbox needs.
  return { executablePath: await packaged.executablePath(), args: ['--no-sandbox', '--font-render-hinting=none'] };
}
