import type { LimitFunction } from 'p-limit';
import type { CheckedConfiguration } from '#config/check-configuration.ts';
import type { Configuration } from '#config/configuration.ts';
import type { Limits } from '#config/limits.ts';
import type { Sample } from '#domain/metrics/metric.ts';
import type { MissedStart } from '#domain/watch/missed-start.ts';
import type { AccountProbe, QueueProbe } from '#storage/account-probe.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { Catalog } from '#storage/catalog.ts';
import type { TableAccount } from '#storage/table-account.ts';
import type { Telemetry } from '#telemetry/telemetry.ts';
import type { Notifier } from './notifier.ts';
import type { TaskHub } from './task-hub.ts';

/** What functions and activities need from outside. `index.ts` makes it once. */
export interface Dependencies {
  configuration: Configuration;
  limits: Limits;
  telemetry: Telemetry;
  /** Bounds the copies in progress in this process, in all activities together. */
  copySlots: LimitFunction;
  blobs(alias: string): BlobAccount;
  tables(alias: string): TableAccount;
  catalog(alias: string): Catalog;
  /** New connections to an account, to find out what it allows. */
  probe(alias: string): AccountProbe;
  /** The same of the queues of a trigger; undefined if no setting has the address of the connection. */
  probeQueues(connection: string): QueueProbe | undefined;
  /** Sends messages out of the app. */
  notifier: Notifier;
  /** Sends metrics to a collector, and throws if it does not take them; absent without a collector. */
  sendSamples?: (samples: readonly Sample[], at: Date) => Promise<void>;
  /** Starts that schedules could not make and that are not noted in their vaults yet, by id. */
  missedStarts: Map<string, MissedStart>;
  /** Absent where the host keeps its orchestrations to itself. */
  taskHub?: TaskHub;
  /** Checks a configuration that is not in force, with the settings of this app. */
  checkConfiguration(value: object): CheckedConfiguration;
  now(): Date;
  /** Six characters of a–z and 0–9. */
  random(): string;
}
