import { join } from 'node:path';
import { HostError } from '../host-error.ts';
import { readJson } from './settings.ts';
import { parseTimeSpan } from './time-span.ts';

/** Times are in milliseconds. */
export interface QueueSettings {
  /** Messages taken at once; more are taken when no more than `newBatchThreshold` are still being worked on. */
  batchSize: number;
  newBatchThreshold: number;
  /** How often a message is tried before it is moved to the poison queue. */
  maxDequeueCount: number;
  /** How long a message that failed waits for its next try. */
  visibilityTimeout: number;
  maxPollingInterval: number;
  messageEncoding: 'base64' | 'none';
}

export interface BlobSettings {
  maxDegreeOfParallelism: number;
  /** How often a blob is tried before it is noted in the poison queue. */
  poisonBlobThreshold: number;
  /** Between two looks at a container. The real host knows no such setting: it looks every 10 s. */
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
/** The service gives no more messages than this at once. */
const LARGEST_BATCH = 32;
const SHORTEST_POLLING = 100;
const A_WEEK = 7 * 86_400_000;

/**
 * What of host.json this host heeds. As in Azure, an app setting such as
 * `AzureFunctionsJobHost__extensions__queues__batchSize` goes before the file.
 */
export function loadHostSettings(directory: string, settings: NodeJS.ProcessEnv = process.env): HostSettings {
  const file = join(directory, 'host.json');
  const content = readJson(file);
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
    throw wrong(path, value, `a time as in "00:00:30", not shorter than ${least / 1000} s nor longer than a week`);
  }

  function wrong(path: string, value: unknown, needed: string): HostError {
    return new HostError(`${file}: "${path}" is ${JSON.stringify(value)}; it must be ${needed}.`);
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
    hubName: text('extensions.durableTask.hubName', 'host'),
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
