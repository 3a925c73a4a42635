import type { BrowserContext } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { inspectState, NOTHING_WRONG } from './inspect-state.ts';
import { newReader } from './open-state.ts';
import type { PageServer } from './page-server.ts';
import { STATES } from './states/all.ts';
import { useChromium } from './use-chromium.ts';

const { browser, serve } = await useChromium();

/** Readers who look at no state now. There are as many as Vitest runs tests at a time. */
const idle: { reader: BrowserContext; server: PageServer }[] = [];

describe.skipIf(!browser).concurrent.each(STATES)('$name', (state) => {
  it('says what it must, to everyone, and does nothing else', async () => {
    const seat = idle.pop() ?? { reader: await newReader(browser!), server: await serve() };
    const found = await inspectState(seat.reader, seat.server, state);
    idle.push(seat);
    expect(found).toEqual(NOTHING_WRONG);
  });
});
