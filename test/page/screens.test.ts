import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { checkState } from './check-state.ts';
import { startChromium } from './chromium.ts';
import { PageServer } from './page-server.ts';
import { FRAME_STATES } from './states/frame.ts';

let browser: Browser | undefined;
let server: PageServer;

beforeAll(async () => {
  [browser, server] = await Promise.all([startChromium(), PageServer.start()]);
});

afterAll(async () => {
  await browser?.close();
  server?.stop();
});

describe.each([...FRAME_STATES])('$name', (state) => {
  it('says what it must, to everyone, and does nothing else', async ({ skip }) => {
    if (!browser) return skip();
    await checkState(browser, server, state);
  });
});
