import { join } from 'node:path';
import { readJsonFile } from '../data/json-file.ts';
import { HostError } from '../host-error.ts';
import { taskHubName } from './task-hub-name.ts';
import { parseTimeSpan } from './time-span.ts';

/** Times are in milliseconds. */
export interface QueueSettings {
  /** Messages per request. The worker takes more when `newBatchThreshold` or fewer of them are running. */
  batchSize: number;
  newBatchThreshold: number;
  /** Attempts before the host moves a message to the poison queue. */
  maxDequeueCount: number;
  /** Time between a failed attempt and the next one. */
  visibilityTimeout: number;
  maxPollingInterval: number;
  messageEncoding: 'base64' | 'none';
}

export interface BlobSettings {
  maxDegreeOfParallelism: number;
  /** Attempts before the host puts a blob into the poison queue. */
  poisonBlobThreshold: number;
  /** Time between two scans of a container. The real host has no such setting; it scans every 10 s. */
  scanInterval: number;
}

export interface HostSettings {
  routePrefix: string;
  maxConcurrentActivityFunctions: number;
  maxConcurrentOrchestratorFunctions: number;
  hubName: string;
  queues: QueueSettings;
  blobs: BlobSettings;
}

const OVERRIDE = 'AzureFunctionsJobHost__';
/** The most messages that the service returns at once. */
const LARGEST_BATCH = 32;
const SHORTEST_POLLING = 100;
const A_WEEK = 7 * 86_400_000;

/**
 * The settings of host.json that this host supports. As in Azure, an app setting such as
 * `AzureFunctionsJobHost__extensions__queues__batchSize` overrides the file.
 */
export function loadHostSettings(directory: string, settings: NodeJS.ProcessEnv = process.env): HostSettings {
  const file = join(directory, 'host.json');
  const content = readJsonFile(file);
  const at = (path: string) => overridden(path, settings) ?? below(content, path.split('.'));

  function number(path: string, fallback: number, least: number, most: number): number {
    const value = at(path) ?? fallback;
    const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof read === 'number' && Number.isInteger(read) && read >= least && read <= most) return read;
    throw wrong(path, value, `a whole number from ${least} to ${most}`);
  }

  function time(path: string, fallback: string, least: number, most: number): number {
    const value = at(path) ?? fallback;
    const read = typeof value === 'string' ? parseTimeSpan(value) : undefined;
    if (read !== undefined && read >= least && read <= most) return read;
    throw wrong(path, value, `a time such as "00:00:30", at least ${least / 1000} s and at most a week`);
  }

  function wrong(path: string, value: unknown, needed: string): HostError {
    if (overridden(path, settings) === undefined) {
      return new HostError(`${file}: "${path}" is ${JSON.stringify(value)}; it must be ${needed}.`);
    }
    // What a setting holds may be secret.
    return new HostError(`The app setting "${OVERRIDE}${path.replaceAll('.', '__')}" must be ${needed}.`);
  }

  const text = (path: string, fallback: string) => {
    const value = at(path);
    return typeof value === 'string' ? value : fallback;
  };
  const messageEncoding = text('extensions.queues.messageEncoding', 'base64').toLowerCase();
  if (messageEncoding !== 'base64' && messageEncoding !== 'none') {
    throw wrong('extensions.queues.messageEncoding', messageEncoding, '"base64" or "none"');
  }
  const batchSize = number('extensions.queues.batchSize', 16, 1, LARGEST_BATCH);
  return {
    routePrefix: text('extensions.http.routePrefix', 'api'),
    hubName: taskHubName(at('extensions.durableTask.hubName'), `${file}: "extensions.durableTask.hubName"`, settings),
    maxConcurrentActivityFunctions: number('extensions.durableTask.maxConcurrentActivityFunctions', 8, 1, 10_000),
    maxConcurrentOrchestratorFunctions: number(
      'extensions.durableTask.maxConcurrentOrchestratorFunctions',
      8,
      1,
      10_000,
    ),
    queues: {
      batchSize,
      newBatchThreshold: number('extensions.queues.newBatchThreshold', Math.floor(batchSize / 2), 0, 10_000),
      maxDequeueCount: number('extensions.queues.maxDequeueCount', 5, 1, 10_000),
      visibilityTimeout: time('extensions.queues.visibilityTimeout', '00:00:00', 0, A_WEEK),
      maxPollingInterval: time('extensions.queues.maxPollingInterval', '00:01:00', SHORTEST_POLLING, A_WEEK),
      messageEncoding,
    },
    blobs: {
      maxDegreeOfParallelism: number('extensions.blobs.maxDegreeOfParallelism', 8, 1, 10_000),
      poisonBlobThreshold: number('extensions.blobs.poisonBlobThreshold', 5, 1, 10_000),
      scanInterval: time('extensions.blobs.scanInterval', '00:00:10', SHORTEST_POLLING, A_WEEK),
    },
  };
}

function overridden(path: string, settings: NodeJS.ProcessEnv): string | undefined {
  const wanted = (OVERRIDE + path.replaceAll('.', '__')).toLowerCase();
  const name = Object.keys(settings).find((key) => key.toLowerCase() === wanted);
  return name === undefined ? undefined : settings[name];
}

function below(value: unknown, path: string[]): unknown {
  const [name, ...rest] = path;
  if (name === undefined || value === undefined) return value ?? undefined;
  return typeof value === 'object' && value !== null
    ? below((value as Record<string, unknown>)[name], rest)
    : undefined;
}
