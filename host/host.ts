import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Azurite } from './azurite/azurite.ts';
import { embedAccounts } from './azurite/embedded-accounts.ts';
import { prepareDataDirectory } from './data/data-directory.ts';
import { lockDataDirectory } from './data/data-lock.ts';
import type { Unfinished } from './durable/unfinished.ts';
import { EXIT } from './exit-codes.ts';
import { HostError, messageOf } from './host-error.ts';
import { isLoopbackAddress } from './http/access.ts';
import { adminHandler } from './http/admin.ts';
import { type HttpServer, type IsOpen, startHttpServer } from './http/server.ts';
import { writeLog } from './log.ts';
import { askHost } from './once/ask-host.ts';
import { runIdsOf } from './once/run-ids.ts';
import type { Options } from './options.ts';
import { loadAppSettings } from './settings/app-settings.ts';
import { hostKey } from './settings/host-key.ts';
import { createListeners } from './triggers/listeners.ts';
import type { Listener } from './triggers/trigger.ts';
import { type App, loadApp } from './worker/app.ts';
import { captureConsole } from './worker/console.ts';

/** Milliseconds that running functions have to end when the host stops. */
const GRACE = 5_000;

export interface Host {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Whether the app has a page for browsers at its root. */
  readonly hasPage: boolean;
  unfinished(): Unfinished[];
  /** Stops everything in order. `hurry` ends the wait for running functions. */
  stop(hurry: AbortSignal): Promise<void>;
}

/**
 * Starts everything. If one part cannot start, stops the others. For one job alone, it serves only what a run of that
 * job needs. `signal` ends the wait for another process.
 */
export async function startHost(
  options: Options,
  fatal: (error: HostError) => void,
  signal: AbortSignal,
): Promise<Host> {
  const { once } = options;
  loadAppSettings(options.workingDirectory);
  const key = hostKey();
  if (!isLoopbackAddress(options.address) && key === undefined) {
    throw new HostError(
      `Other machines can reach this host at ${options.address}, so it requires a key. Set the app setting ` +
        'STRONGROOM_KEY to a long random text, such as the output of: openssl rand -hex 32',
    );
  }
  // Only this user may read what the host and its embedded Azurite write.
  process.umask(0o077);
  prepareDataDirectory(options.dataDirectory);
  const started: (() => Promise<void> | void)[] = [];
  const undo = async () => {
    for (const stop of started.splice(0).reverse()) await stop();
  };
  try {
    const lock = await lockDataDirectory(options.dataDirectory, {
      signal,
      ...(once && { once: once.job, instead: (url, otherwise) => askHost(once, url, otherwise) }),
    });
    started.push(() => lock.release());
    const embedded = await embedAccounts(options.workingDirectory, options.dataDirectory);
    if (embedded !== undefined) {
      const { azurite } = embedded;
      started.push(() => azurite.stop());
      azurite.onUnexpectedExit((reason) => fatal(new HostError(`The host stops: ${reason}.`, EXIT.unexpected)));
      announce(embedded, options.dataDirectory);
    }
    captureConsole();
    const app = await loadApp(options.appDirectory);
    // The Functions host would serve what the app reports. Here, an operator is waiting for the start.
    if (app.startError !== undefined) throw app.startError;
    const { appDirectory, dataDirectory } = options;
    const { listeners, durable } = await createListeners(
      app.registrations,
      { appDirectory, dataDirectory, ...(once && { resumes: runIdsOf(once.job) }) },
      fatal,
    );
    started.push(() => durable.close?.());
    const server = await serve(listeners, options, key);
    started.push(() => server.destroy());
    const url = `http://${reachableAs(options.address)}:${server.port}`;
    lock.announce(url);
    for (const listener of listeners) await listener.start?.();
    return {
      url,
      hasPage: listeners.some(({ isOpen }) => isOpen?.('GET', '/') === true),
      unfinished: durable.unfinished,
      stop: (hurry) => stopHost({ app, listeners, server, hurry }).finally(undo),
    };
  } catch (error) {
    await undo();
    throw error;
  }
}

/** An address of this machine at which callers reach the given listening address. */
function reachableAs(address: string): string {
  if (address === '0.0.0.0' || address === '::' || address === 'localhost') return '127.0.0.1';
  return address.includes(':') ? `[${address}]` : address;
}

async function serve(listeners: Listener[], { address, port }: Options, key: string | undefined): Promise<HttpServer> {
  const handlers = [adminHandler(listeners), ...listeners.flatMap(({ http }) => (http === undefined ? [] : [http]))];
  const isOpen: IsOpen = (method, path) => listeners.some((listener) => listener.isOpen?.(method, path));
  const server = await startHttpServer({ address, port, key, handlers, isOpen });
  // Without it, the durable client assumes another host and rewrites addresses.
  process.env.WEBSITE_HOSTNAME ??= `localhost:${server.port}`;
  return server;
}

interface Running {
  app: App;
  listeners: Listener[];
  server: HttpServer;
  hurry: AbortSignal;
}

async function stopHost({ app, listeners, server, hurry }: Running): Promise<void> {
  const stopped = Promise.all([server.stop(), ...listeners.map((listener) => listener.stop?.())]);
  const late = sleep(GRACE, 'late', { signal: hurry, ref: false }).catch(() => 'late');
  if ((await Promise.race([stopped, late])) === 'late') {
    writeLog(
      'warning',
      'Shutdown timed out with functions still running. Activities rerun at the next start; queue messages reappear ' +
        'within ten minutes.',
    );
  }
  try {
    await app.terminate();
  } catch (error) {
    writeLog('error', `An appTerminate hook failed: ${messageOf(error)}`);
  }
}

function announce({ azurite, aliases }: { azurite: Azurite; aliases: string[] }, dataDirectory: string): void {
  const { blobPort, queuePort, tablePort } = azurite;
  writeLog('information', 'No storage account is configured. Using an embedded Azurite:');
  writeLog(
    'information',
    `  blobs http://127.0.0.1:${blobPort}, queues http://127.0.0.1:${queuePort}, tables http://127.0.0.1:${tablePort}`,
  );
  // Any name makes an account: one that is misspelled is empty.
  writeLog('information', `  Its accounts, by the names in strongroom.json: ${aliases.join(', ')}.`);
  writeLog('information', `  The connection strings are in ${join(dataDirectory, 'azurite.json')}.`);
}
