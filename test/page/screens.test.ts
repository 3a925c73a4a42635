import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { checkState } from './check-state.ts';
import { startChromium } from './chromium.ts';
import { PageServer } from './page-server.ts';
import { FRAME_STATES } from './states/frame.ts';
import { JOBS_STATES } from './states/jobs.ts';
import { OVERVIEW_STATES } from './states/overview.ts';
import { EVERY_PROBLEM, RUN_STATES, RUNS_STATES } from './states/runs.ts';
import { SETUP_STATES } from './states/setup.ts';

const STATES = [
  ...FRAME_STATES,
  ...OVERVIEW_STATES,
  ...RUNS_STATES,
  ...RUN_STATES,
  EVERY_PROBLEM,
  ...JOBS_STATES,
  ...SETUP_STATES,
];

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
    await checkState(browser, server, state);
  });
});
