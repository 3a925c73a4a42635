import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { app } from '@azure/functions';
import * as df from 'durable-functions';
import pLimit from 'p-limit';
import { makeActivities } from './activities/index.ts';
import type { Dependencies } from './app/dependencies.ts';
import { inTraceOfRun } from './app/in-trace-of-run.ts';
import { inOwnHub, TaskHub } from './app/task-hub.ts';
import { settingOf } from './config/app-settings.ts';
import { checkConfiguration } from './config/check-configuration.ts';
import { ConfigurationError } from './config/configuration-error.ts';
import { INSTANCE_SETTING } from './config/instance.ts';
import { misconfigurationOf } from './config/misconfiguration.ts';
import { queueConnectionOf } from './config/queue-connection.ts';
import { readAll } from './config/read-all.ts';
import { taskHubOf } from './config/task-hub.ts';
import { collectedSignals, telemetrySettings } from './config/telemetry-settings.ts';
import { defined } from './domain/run/defined.ts';
import { registerMisconfigured } from './functions/misconfigured.ts';
import { registerPage } from './functions/page.ts';
import { blobTriggers, queues, type Registration, routes, timers } from './functions/triggers.ts';
import { notifierOf } from './notify/notifier.ts';
import { orchestrations } from './orchestrations/index.ts';
import { connectProbe } from './storage/azure/account-probe.ts';
import { connectBlobAccount, connectCatalog, connectTableAccount } from './storage/azure/connect.ts';
import { identityCredential } from './storage/azure/identity.ts';
import { connectQueueProbe } from './storage/azure/queue-probe.ts';
import type { BlobAccount } from './storage/blob-account.ts';
import type { Catalog } from './storage/catalog.ts';
import { PatientCatalog } from './storage/patient-catalog.ts';
import type { TableAccount } from './storage/table-account.ts';
import type * as bundled from './telemetry/application-insights.ts';
import { followInvocations, writeLine } from './telemetry/invocation-log.ts';
import type * as otlpBundle from './telemetry/otlp.ts';
import type { Collector } from './telemetry/otlp.ts';
import { Telemetry, type TelemetrySink } from './telemetry/telemetry.ts';

const APP_ROOT = join(__dirname, '..');

/**
 * Why the app could not start; undefined if it did. The Functions host ignores this, and the app reports it itself. A
 * host that an operator has just started shows it and ends.
 */
export const startError: unknown = start();

function start(): unknown {
  let telemetry = new Telemetry(writeLine);
  followInvocations();
  app.hook.appTerminate(() => telemetry.flush());
  // Also of an app that cannot start: the page shows why.
  registerPage(join(APP_ROOT, 'dist', 'page'));
  try {
    const { sendSamples, events, spans } = collector();
    telemetry = new Telemetry(writeLine, applicationInsights() ?? events, spans);
    // All handlers are made before the first is registered: there is no half of an app.
    for (const register of registrations(dependencies(telemetry, sendSamples))) register();
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) telemetry.failure('start', error, {});
    registerMisconfigured(misconfigurationOf(error), telemetry);
    return error;
  }
}

/** How long a check of rights waits for one answer. */
const PROBE_MS = 5_000;

function dependencies(telemetry: Telemetry, sendSamples: Collector['sendSamples']): Dependencies {
  const from = { env: process.env, cwd: process.cwd(), appRoot: APP_ROOT };
  const { configuration, limits } = readAll(from);
  const retries = { firstDelay: limits.retryDelayMs, timeout: limits.requestMs };
  const now = () => new Date();
  const vaults = [...configuration.jobs, ...configuration.archives].map(({ destination }) => destination.account);
  const identity = identityCredential({});
  const token = async (scope: string) => (await identity.getToken(scope))?.token ?? '';
  const instance = instanceName();
  const hub = taskHubOf(
    process.env,
    vaults.map((alias) => configuration.accounts.get(alias)!),
  );
  // One try: a storage that does not answer refuses nothing, and every step waits for the answer.
  const hubStorage = hub && connectBlobAccount(hub.storage, { ...retries, tries: 1 });
  return {
    ...(hub && hubStorage && { taskHub: new TaskHub(hub.name, hubStorage, hub.owner, now) }),
    configuration,
    limits,
    telemetry,
    notifier: notifierOf(() => ({ instance, now: now(), token, ...defined({ link: configuration.notify.link }) })),
    ...defined({ sendSamples }),
    missedStarts: new Map(),
    copySlots: pLimit(limits.copiesAtOnce),
    blobs: once<BlobAccount>((alias) => connectBlobAccount(configuration.accounts.get(alias)!, retries)),
    tables: once<TableAccount>((alias) => connectTableAccount(configuration.accounts.get(alias)!, retries)),
    catalog: once<Catalog>(
      (alias) => new PatientCatalog(connectCatalog(configuration.accounts.get(alias)!, undefined, retries), now),
    ),
    probe: (alias) => connectProbe(configuration.accounts.get(alias)!, Math.min(PROBE_MS, limits.requestMs)),
    probeQueues: (name) => {
      const connection = queueConnectionOf(name, process.env);
      return connection && connectQueueProbe(name, connection, Math.min(PROBE_MS, limits.requestMs));
    },
    checkConfiguration: (value) => checkConfiguration(value, process.env),
    now,
    random: () =>
      BigInt(`0x${randomBytes(8).toString('hex')}`)
        .toString(36)
        .padStart(6, '0')
        .slice(-6),
  };
}

function registrations(deps: Dependencies): Registration[] {
  const activities = makeActivities(deps);
  return [
    ...Object.entries(activities).map(([name, activity]) => {
      const traced = inTraceOfRun(deps.telemetry, name, activity as (input: unknown) => Promise<unknown>);
      const handler = inOwnHub(deps.taskHub, traced);
      return () => void df.app.activity(name, { handler });
    }),
    ...Object.entries(orchestrations).map(
      ([name, orchestration]) =>
        () =>
          void df.app.orchestration(name, orchestration),
    ),
    ...timers(deps),
    ...queues(deps, activities),
    ...blobTriggers(deps, activities),
    // Last: should a registration fail, `registerMisconfigured` can take these names.
    ...routes(deps),
  ];
}

/** One connection per account in the whole process. */
function once<T>(make: (alias: string) => T): (alias: string) => T {
  const made = new Map<string, T>();
  return (alias) => {
    const known = made.get(alias) ?? make(alias);
    made.set(alias, known);
    return known;
  };
}

declare const STRONGROOM_VERSION: string;

function instanceName(): string {
  return settingOf(process.env, INSTANCE_SETTING) ?? settingOf(process.env, 'WEBSITE_SITE_NAME') ?? 'Strongroom';
}

function collector(): Collector {
  const signals = collectedSignals(process.env);
  if (signals.size === 0) return {};
  const bundle = require('./otlp.cjs') as typeof otlpBundle;
  return bundle.connectOtlp(signals, { version: STRONGROOM_VERSION, instance: instanceName() }, (signal, message) => {
    // A line of no invocation, since the one that reported it may have ended. As an event, it would be sent again.
    console.warn(`telemetry-not-sent ${JSON.stringify({ signal, message })}`);
  });
}

function applicationInsights(): TelemetrySink | undefined {
  const settings = telemetrySettings(process.env);
  if (!settings) return undefined;
  // A separate bundle: loading it takes longer than loading the rest of the app.
  const bundle = require('./applicationinsights.cjs') as typeof bundled;
  return bundle.connectApplicationInsights(settings.connectionString, settings.identity);
}
