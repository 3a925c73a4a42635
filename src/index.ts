import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { app } from '@azure/functions';
import * as df from 'durable-functions';
import pLimit from 'p-limit';
import { makeActivities } from './activities/index.ts';
import type { Dependencies } from './app/dependencies.ts';
import { readConfiguration } from './config/configuration.ts';
import { readLimits } from './config/limits.ts';
import { registerBlobTriggers, registerQueues, registerRoutes, registerTimers } from './functions/triggers.ts';
import { orchestrations } from './orchestrations/index.ts';
import { connectBlobAccount, connectCatalog, connectTableAccount } from './storage/azure/connect.ts';
import type { BlobAccount } from './storage/blob-account.ts';
import type { Catalog } from './storage/catalog.ts';
import { PatientCatalog } from './storage/patient-catalog.ts';
import type { TableAccount } from './storage/table-account.ts';
import type * as bundled from './telemetry/application-insights.ts';
import { Telemetry, type TelemetrySink } from './telemetry/telemetry.ts';

const configuration = readConfiguration({ env: process.env, cwd: process.cwd(), appRoot: join(__dirname, '..') });
const limits = readLimits(process.env.STRONGROOM_LIMITS);
const retries = { firstDelay: limits.retryDelayMs, timeout: limits.requestMs };
const now = () => new Date();
const telemetry = new Telemetry((line) => console.log(line), applicationInsights());

const deps: Dependencies = {
  configuration,
  limits,
  telemetry,
  copySlots: pLimit(limits.copiesAtOnce),
  blobs: once<BlobAccount>((alias) => connectBlobAccount(configuration.accounts.get(alias)!, retries)),
  tables: once<TableAccount>((alias) => connectTableAccount(configuration.accounts.get(alias)!, retries)),
  catalog: once<Catalog>(
    (alias) => new PatientCatalog(connectCatalog(configuration.accounts.get(alias)!, undefined, retries), now),
  ),
  now,
  random: () =>
    BigInt(`0x${randomBytes(8).toString('hex')}`)
      .toString(36)
      .padStart(6, '0')
      .slice(-6),
};

const activities = makeActivities(deps);
for (const [name, handler] of Object.entries(activities)) {
  df.app.activity(name, { handler: handler as (input: unknown) => Promise<unknown> });
}
for (const [name, orchestration] of Object.entries(orchestrations)) {
  df.app.orchestration(name, orchestration);
}

registerRoutes(deps);
registerTimers(deps);
registerQueues(deps, activities);
registerBlobTriggers(deps, activities);

app.hook.appTerminate(() => telemetry.flush());

/** One connection per account in the whole process. */
function once<T>(make: (alias: string) => T): (alias: string) => T {
  const made = new Map<string, T>();
  return (alias) => {
    const known = made.get(alias) ?? make(alias);
    made.set(alias, known);
    return known;
  };
}

function applicationInsights(): TelemetrySink | undefined {
  const connectionString = process.env.APPLICATIONINSIGHTS_CONNECTION_STRING;
  if (!connectionString) return undefined;
  // A separate bundle: loading it takes longer than loading the rest of the app.
  const bundle = require('./applicationinsights.cjs') as typeof bundled;
  return bundle.connectApplicationInsights(connectionString, process.env.APPLICATIONINSIGHTS_AUTHENTICATION_STRING);
}
