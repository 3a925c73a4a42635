import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { embedAccounts } from './azurite/accounts.ts';
import type { Azurite } from './azurite/azurite.ts';
import { lockDataDirectory } from './data/data-lock.ts';
import { hostIdOf } from './data/host-id.ts';
import { HostError, messageOf } from './host-error.ts';
import { isLoopbackAddress } from './http/access.ts';
import { adminHandler } from './http/admin.ts';
import { type HttpServer, startHttpServer } from './http/server.ts';
import { writeLog } from './log.ts';
import type { Options } from './options.ts';
import { QueueBell } from './queues/queue-bell.ts';
import { loadHostSettings } from './settings/host-settings.ts';
import { loadAppSettings } from './settings/settings.ts';
import { blobListener } from './triggers/blob.ts';
import { type DurableListener, durableListener } from './triggers/durable.ts';
import { httpListener } from './triggers/http.ts';
import { queueListener } from './triggers/queue.ts';
import { timerListener } from './triggers/timer.ts';
import type { HostedFunction, Listener, TriggerHost } from './triggers/trigger.ts';
import { type App, loadApp } from './worker/app.ts';
import type { TypedData } from './worker/core-api.ts';
import { invoker, isTrigger } from './worker/invoke.ts';

/** How long running functions are given to end when the host is stopped. */
const GRACE = 5_000;
const DURABLE = ['orchestrationTrigger', 'activityTrigger'];

export interface Host {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Stops in order; `hurry` ends the waiting for functions that still run. */
  stop(hurry: AbortSignal): Promise<void>;
}

/** Starts everything and opens the port last. What was started is stopped again when the rest cannot be. */
export async function startHost(options: Options, fatal: (error: HostError) => void): Promise<Host> {
  loadAppSettings(options.workingDirectory);
  const key = process.env.STRONGROOM_KEY || undefined;
  if (!isLoopbackAddress(options.address) && key === undefined) {
    throw new HostError(
      `Listening on ${options.address} lets others reach this host, so it needs a key: set the app setting STRONGROOM_KEY to a long random text.`,
    );
  }
  mkdirSync(options.dataDirectory, { recursive: true, mode: 0o700 });
  const started: (() => Promise<void> | void)[] = [];
  const undo = async () => {
    for (const stop of started.splice(0).reverse()) await stop();
  };
  try {
    const lock = await lockDataDirectory(options.dataDirectory);
    started.push(() => lock.release());
    const azurite = await embedAccounts(options.workingDirectory, options.dataDirectory);
    if (azurite !== undefined) {
      started.push(() => azurite.stop());
      azurite.onUnexpectedExit((reason) => fatal(new HostError(`The host cannot go on: ${reason}.`, 1)));
      announce(azurite);
    }
    const app = await loadApp(options.appDirectory);
    const { listeners, durable } = await attach(app, options, fatal);
    started.push(() => durable.close?.());
    const server = await serve(listeners, options, key);
    started.push(() => server.destroy());
    for (const listener of listeners) await listener.start?.();
    return {
      url: `http://${reachableAs(options.address)}:${server.port}`,
      stop: (hurry) => stopHost({ app, listeners, server, hurry }).finally(undo),
    };
  } catch (error) {
    await undo();
    throw error;
  }
}

/** An address of this machine by which what listens there can be called. */
function reachableAs(address: string): string {
  if (address === '0.0.0.0' || address === '::' || address === 'localhost') return '127.0.0.1';
  return address.includes(':') ? `[${address}]` : address;
}

async function serve(listeners: Listener[], { address, port }: Options, key: string | undefined): Promise<HttpServer> {
  const handlers = [adminHandler(listeners), ...listeners.flatMap(({ http }) => (http === undefined ? [] : [http]))];
  const server = await startHttpServer({ address, port, key, handlers });
  // Without it the durable client takes the host for another one and changes addresses.
  process.env.WEBSITE_HOSTNAME ??= `localhost:${server.port}`;
  return server;
}

/** Gives each function of the app to the listener for its kind of trigger. */
async function attach(app: App, options: Options, fatal: (error: HostError) => void) {
  const { registrations } = app;
  const host: TriggerHost = {
    settings: loadHostSettings(options.appDirectory),
    dataDirectory: options.dataDirectory,
    hostId: hostIdOf(options.appDirectory, options.dataDirectory),
    bell: new QueueBell(),
  };
  let clientData: TypedData | undefined;
  const inputData = (type: string) =>
    type === 'durableClient' || type === 'orchestrationClient' ? clientData : undefined;
  const functions = [...registrations.functions.values()].flatMap((registered): HostedFunction[] => {
    const { name, bindings } = registered.metadata;
    const trigger = Object.values(bindings).find(({ type }) => isTrigger(type));
    if (trigger === undefined || isDisabled(name)) return [];
    return [{ name, trigger, bindings, invoke: invoker(registrations, registered, inputData) }];
  });
  const of = (...types: string[]) => functions.filter(({ trigger }) => types.includes(trigger.type));
  const served = new Set(['httpTrigger', 'timerTrigger', 'queueTrigger', 'blobTrigger', ...DURABLE]);
  for (const { name, trigger } of functions) {
    if (!served.has(trigger.type))
      writeLog('warning', `Function "${name}" is not started: this host has no ${trigger.type}.`);
  }
  const http = httpListener(of('httpTrigger'), host);
  const timer = timerListener(of('timerTrigger'), host);
  const queue = await queueListener(of('queueTrigger'), host);
  const blob = await blobListener(of('blobTrigger'), host);
  const durable: DurableListener = await durableListener(of(...DURABLE), host, fatal);
  clientData = durable.clientData;
  return { listeners: [http, timer, queue, blob, durable], durable };
}

/** As in Azure, the app setting `AzureWebJobs.NAME.Disabled` keeps a function from being started. */
function isDisabled(name: string): boolean {
  const value = process.env[`AzureWebJobs.${name}.Disabled`] ?? process.env[`AzureWebJobs__${name}__Disabled`];
  return value === '1' || value?.toLowerCase() === 'true';
}

interface Running {
  app: App;
  listeners: Listener[];
  server: HttpServer;
  hurry: AbortSignal;
}

async function stopHost({ app, listeners, server, hurry }: Running): Promise<void> {
  const ended = Promise.all([server.stop(), ...listeners.map((listener) => listener.stop?.())]);
  const late = sleep(GRACE, 'late', { signal: hurry, ref: false }).catch(() => 'late');
  if ((await Promise.race([ended, late])) === 'late') {
    writeLog(
      'warning',
      'Not waiting any longer for functions that still run. Activities among them run again at the next start, messages within ten minutes.',
    );
  }
  try {
    await app.terminate();
  } catch (error) {
    writeLog('error', `A hook at the end of the app failed: ${messageOf(error)}`);
  }
}

function announce(azurite: Azurite): void {
  const { blobPort, queuePort, tablePort } = azurite;
  writeLog('information', 'No storage account is configured: an embedded Azurite stands in for them.');
  writeLog(
    'information',
    `  blobs http://127.0.0.1:${blobPort}, queues http://127.0.0.1:${queuePort}, tables http://127.0.0.1:${tablePort}`,
  );
}
