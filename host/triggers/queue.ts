import { randomUUID } from 'node:crypto';
import type { QueueServiceClient } from '@azure/storage-queue';
import { HostError, messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { isQueueName, poisonQueueName } from '../queues/queue-name.ts';
import { QueueWorker } from '../queues/queue-worker.ts';
import { type QueueMessage, StorageQueue } from '../queues/storage-queue.ts';
import { readWithSettings } from '../settings/app-settings.ts';
import { connectQueues } from '../storage/connect.ts';
import { connectionOf } from '../storage/connection-name.ts';
import { dateTimeOffset } from '../storage/date-time-offset.ts';
import type { TypedData } from '../worker/core-api.ts';
import type { HostedFunction, Listener, TriggerHost } from './trigger.ts';

export async function queueListener(functions: HostedFunction[], host: TriggerHost): Promise<Listener> {
  const workers: QueueWorker[] = [];
  for (const hosted of functions) {
    const service = await connectQueues(connectionOf(hosted), `Queue function "${hosted.name}"`);
    workers.push(newWorker(hosted, service, host));
  }
  const byName = new Map(functions.map((hosted) => [hosted.name, hosted]));
  let stopped = false;
  const manual = new Set<Promise<void>>();

  return {
    start() {
      for (const worker of workers) worker.start();
    },
    fire(name, input) {
      const hosted = byName.get(name);
      if (hosted === undefined || stopped) return false;
      const text = typeof input === 'string' ? input : JSON.stringify(input ?? '');
      // As in Azure, this message is not in a queue, so there is no retry.
      const fired: Promise<void> = invoke(hosted, messageWith(text), text)
        .catch((error: unknown) => writeLog('error', `Queue function "${name}" failed: ${messageOf(error)}`))
        .finally(() => manual.delete(fired));
      manual.add(fired);
      return true;
    },
    async stop() {
      stopped = true;
      await Promise.all([...workers.map((worker) => worker.stop()), ...manual]);
    },
  };
}

function checkedName(name: string, where: string): string {
  if (isQueueName(name)) return name;
  throw new HostError(
    `${where} has the queue name "${name}". A queue name has 3 to 63 lowercase letters, digits and single hyphens.`,
  );
}

function newWorker(
  hosted: HostedFunction,
  service: QueueServiceClient,
  { settings, signals }: TriggerHost,
): QueueWorker {
  const where = `Queue function "${hosted.name}"`;
  const { queueName } = hosted.trigger;
  if (typeof queueName !== 'string') throw new HostError(`${where} has no queue name.`);
  const name = readWithSettings(queueName, where, (value) => checkedName(value.toLowerCase(), where));
  const poisonName = poisonQueueName(name);
  const poison = poisonName === undefined ? undefined : new StorageQueue(service, poisonName);
  return new QueueWorker({
    queue: new StorageQueue(service, name),
    settings: settings.queues,
    signals,
    handle: (message, text) => invoke(hosted, message, text),
    poisonFor: () => poison,
  });
}

async function invoke(hosted: HostedFunction, message: QueueMessage, text: string): Promise<void> {
  await hosted.invoke({ string: text }, metadata(message, text));
}

/** With the names and types of the real host. */
function metadata(message: QueueMessage, text: string): Record<string, TypedData> {
  return {
    QueueTrigger: { string: text },
    DequeueCount: { json: String(message.dequeueCount) },
    ExpirationTime: { json: dateTimeOffset(message.expiresOn) },
    Id: { string: message.id },
    InsertionTime: { json: dateTimeOffset(message.insertedOn) },
    NextVisibleTime: { json: dateTimeOffset(message.nextVisibleOn) },
    PopReceipt: { string: message.popReceipt },
  };
}

function messageWith(text: string): QueueMessage {
  const now = new Date();
  const never = new Date('9999-12-31T23:59:59Z');
  const times = { insertedOn: now, expiresOn: never, nextVisibleOn: never };
  return { id: randomUUID(), content: text, dequeueCount: 0, popReceipt: '', ...times };
}
