// Writes the pictures of the page that the documents show, from states of its tests.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { startChromium } from '../test/page/chromium.ts';
import { newReader, openState } from '../test/page/open-state.ts';
import { PageServer } from '../test/page/page-server.ts';
import { PICTURES } from '../test/page/states/pictures.ts';

const FOLDER = join(import.meta.dirname, '../docs/pictures');
const WIDTH = 1180;

const browser = await startChromium();
if (!browser) process.exit(1);
const server = await PageServer.start();
const reader = await newReader(browser);
const encoder = await browser.newPage();
mkdirSync(FOLDER, { recursive: true });
for (const { height, ...state } of PICTURES) {
  const { page } = await openState(reader, server, state);
  await page.setViewportSize({ width: WIDTH, height });
  await page.waitForFunction(() => document.querySelector('.waiting') === null && document.querySelector('main'));
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    writeFileSync(join(FOLDER, `${state.name}-${colorScheme}.webp`), await toWebP(encoder, await page.screenshot()));
  }
  await page.close();
}
await browser.close();
server.stop();

/** Smaller than a PNG by far. The browser is an encoder, too. */
async function toWebP(page: Page, png: Buffer): Promise<Buffer> {
  const encoded = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext('2d')!.drawImage(image, 0, 0);
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.82 });
    const webp = new Uint8Array(await blob.arrayBuffer());
    return btoa(Array.from(webp, (byte) => String.fromCharCode(byte)).join(''));
  }, png.toString('base64'));
  return Buffer.from(encoded, 'base64');
}
