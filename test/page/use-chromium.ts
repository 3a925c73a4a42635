import type { Browser } from 'playwright-core';
import { afterAll } from 'vitest';
import { startChromium } from './chromium.ts';
import { PageServer } from './page-server.ts';

/** A browser for the tests of a file, undefined if there is none: skip them; and how they get servers of their own. */
export async function useChromium(): Promise<{ browser: Browser | undefined; serve: () => Promise<PageServer> }> {
  const browser = await startChromium();
  const servers: PageServer[] = [];
  afterAll(async () => {
    await browser?.close();
    for (const server of servers) server.stop();
  });
  const serve = async () => {
    const server = await PageServer.start();
    servers.push(server);
    return server;
  };
  return { browser, serve };
}
