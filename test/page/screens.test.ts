import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from './chromium.ts';
import { inspectState, NOTHING_WRONG } from './inspect-state.ts';
import { PageServer } from './page-server.ts';
import { STATES } from './states/all.ts';

let browser: Browser | undefined;
let server: PageServer;

beforeAll(async () => {
  [browser, server] = await Promise.all([startChromium(), PageServer.start()]);
});

afterAll(async () => {
  await browser?.close();
  server?.stop();
});

describe.each(STATES)('$name', (state) => {
  it('says what it must, to everyone, and does nothing else', async ({ skip }) => {
    if (!browser) return skip();
    expect(await inspectState(browser, server, state)).toEqual(NOTHING_WRONG);
  });
});
