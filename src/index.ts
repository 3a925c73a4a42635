import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { app } from '@azure/functions';
import * as df from 'durable-functions';
import pLimit from 'p-limit';
import { makeActivities } from './activities/index.ts';
import type { Dependencies } from './app/dependencies.ts';
import { inOwnHub, TaskHub } from './app/task-hub.ts';
import { checkConfiguration } from './config/check-configuration.ts';
import { ConfigurationError } from './config/configuration-error.ts';
import { misconfigurationOf } from './config/misconfiguration.ts';
import { readAll } from './config/read-all.ts';
import { taskHubOf } from './config/task-hub.ts';
import { hasCollector, telemetrySettings } from './config/telemetry-settings.ts';
import { defined } from './domain/run/defined.ts';
import { registerMisconfigured } from './functions/misconfigured.ts';
import { blobTriggers, queues, type Registration, routes, timers } from './functions/triggers.ts';
import { notifierOf } from './notify/notifier.ts';
import { orchestrations } from './orchestrations/index.ts';
import { connectBlobAccount, connectCatalog, connectTableAccount } from './storage/azure/connect.ts';
import { identityCredential } from './storage/azure/identity.ts';
import type { BlobAccount } from './storage/blob-account.ts';
import type { Catalog } from './storage/catalog.ts';
import { PatientCatalog } from './storage/patient-catalog.ts';
import type { TableAccount } from './storage/table-account.ts';
import type * as bundled from './telemetry/application-insights.ts';
import { followInvocations, writeLine } from './telemetry/invocation-log.ts';
import type * as otlpBundle from './telemetry/otlp.ts';
import type { SendSamples } from './telemetry/otlp.ts';
import { Telemetry, type TelemetrySink } from './telemetry/telemetry.ts';

/**
 * Why the app could not start; undefined if it did. The Functions host ignores this, and the app reports it itself. A
 * host that an operator has just started shows it and ends.
 */
export const startError: unknown = start();

function start(): unknown {
  let telemetry = new Telemetry(writeLine);
  followInvocations();
  app.hook.appTerminate(() => telemetry.flush());
  try {
    telemetry = new Telemetry(writeLine, applicationInsights());
    // All handlers are made before the first is registered: there is no half of an app.
    for (const register of registrations(dependencies(telemetry))) register();
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) telemetry.failure('start', error, {});
    registerMisconfigured(misconfigurationOf(error), telemetry);
    return error;
  }
}

function dependencies(telemetry: Telemetry): Dependencies {
  const from = { env: process.env, cwd: process.cwd(), appRoot: join(__dirname, '..') };
  const { configuration, limits } = readAll(from);
  const retries = { firstDelay: limits.retryDelayMs, timeout: limits.requestMs };
  const now = () => new Date();
  const vaults = [...configuration.jobs, ...configuration.archives].map(({ destination }) => destination.account);
  const identity = identityCredential({});
  const token = async (scope: string) => (await identity.getToken(scope))?.token ?? '';
  const instance = configuration.instance ?? (process.env.WEBSITE_SITE_NAME || 'Strongroom');
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
    ...defined({ sendSamples: otlp(instance) }),
    missedStarts: new Map(),
    copySlots: pLimit(limits.copiesAtOnce),
    blobs: once<BlobAccount>((alias) => connectBlobAccount(configuration.accounts.get(alias)!, retries)),
    tables: once<TableAccount>((alias) => connectTableAccount(configuration.accounts.get(alias)!, retries)),
    catalog: once<Catalog>(
      (alias) => new PatientCatalog(connectCatalog(configuration.accounts.get(alias)!, undefined, retries), now),
    ),
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
      const handler = inOwnHub(deps.taskHub, activity as (input: unknown) => Promise<unknown>);
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

function otlp(instance: string): SendSamples | undefined {
  if (!hasCollector(process.env)) return undefined;
  const bundle = require('./otlp.cjs') as typeof otlpBundle;
  return bundle.connectOtlp(STRONGROOM_VERSION, instance);
}

function applicationInsights(): TelemetrySink | undefined {
  const settings = telemetrySettings(process.env);
  if (!settings) return undefined;
  // A separate bundle: loading it takes longer than loading the rest of the app.
  const bundle = require('./applicationinsights.cjs') as typeof bundled;
  return bundle.connectApplicationInsights(settings.connectionString, settings.identity);
}
