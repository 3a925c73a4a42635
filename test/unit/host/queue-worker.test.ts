import { setTimeout as sleep } from 'node:timers/promises';
import { QueueServiceClient } from '@azure/storage-queue';
import { expect, test, vi } from 'vitest';
import { newAccountKey, startAzurite } from '../../../host/azurite/azurite.ts';
import { decodeMessage } from '../../../host/queues/message-text.ts';
import { PollingDelay } from '../../../host/queues/polling-delay.ts';
import { isQueueName, poisonQueueName } from '../../../host/queues/queue-name.ts';
import { QueueSignals } from '../../../host/queues/queue-signals.ts';
import { QueueWorker } from '../../../host/queues/queue-worker.ts';
import { type QueueMessage, StorageQueue } from '../../../host/queues/storage-queue.ts';
import type { QueueSettings } from '../../../host/settings/host-settings.ts';
import { parseTimeSpan } from '../../../host/settings/time-span.ts';
import { until } from './fixture.ts';

const SETTINGS: QueueSettings = {
  batchSize: 16,
  newBatchThreshold: 8,
  maxDequeueCount: 5,
  visibilityTimeout: 0,
  maxPollingInterval: 60_000,
  messageEncoding: 'none',
};

test('reads the time spans of host.json', () => {
  const spans = ['00:00:10', '0:1:2', '1.02:00:00', '00:00:00.100', '00:30'].map(parseTimeSpan);
  expect(spans).toEqual([10_000, 62_000, 93_600_000, 100, 1_800_000]);
  for (const odd of ['', '10', '24:00:00', '00:60:00', '00:00:00:00', '-00:00:01'])
    expect(parseTimeSpan(odd)).toBeUndefined();
});

test('does not decode content that is not Base64 of text', () => {
  expect(decodeMessage(Buffer.from('grün').toString('base64'), 'base64')).toBe('grün');
  expect(decodeMessage('eA==\n', 'base64')).toBe('x');
  expect(decodeMessage('', 'base64')).toBe('');
  for (const odd of ['plain', 'eA=', 'eA', '{"a":1}', Buffer.from([0xff, 0xfe, 0xff]).toString('base64')])
    expect(decodeMessage(odd, 'base64')).toBeUndefined();
  expect(decodeMessage('eA==', 'none')).toBe('eA==');
});

test('a poison queue has no poison queue, nor has a queue with a long name', () => {
  expect(poisonQueueName('orders')).toBe('orders-poison');
  expect(poisonQueueName('orders-poison')).toBeUndefined();
  expect(poisonQueueName('a'.repeat(56))).toBe(`${'a'.repeat(56)}-poison`);
  expect(poisonQueueName('a'.repeat(57))).toBeUndefined();
  for (const odd of ['ab', 'a--b', '-ab', 'ab-', 'Abc', 'a_b', 'a'.repeat(64)]) expect(isQueueName(odd)).toBe(false);
});

test('polls at growing intervals up to the longest, and often again after a message', () => {
  const delay = new PollingDelay(2_000, () => 0.5);
  const waits = Array.from({ length: 8 }, () => delay.next(false));
  expect(waits).toEqual([100, 200, 300, 500, 900, 1_700, 2_000, 2_000]);
  expect([delay.next(true), delay.next(false), delay.next(false)]).toEqual([100, 200, 300]);
  const [low, high] = [0, 0.999].map((chance) => {
    const other = new PollingDelay(60_000, () => chance);
    return Array.from({ length: 4 }, () => other.next(false))[3] ?? 0;
  });
  expect([low, Math.round(high ?? 0)]).toEqual([420, 580]);
});

test('a signal ends the wait at an empty queue', async () => {
  const polls: number[] = [];
  const empty = {
    name: 'empty',
    exists: async () => true,
    receive: async () => {
      polls.push(Date.now());
      return [];
    },
  } as unknown as StorageQueue;
  const signals = new QueueSignals();
  const worker = new QueueWorker({
    queue: empty,
    settings: SETTINGS,
    signals,
    handle: async () => {},
    poisonFor: () => undefined,
  });
  worker.start();
  // The next poll is more than a second away.
  await until('six polls', () => (polls.length === 6 ? true : undefined));
  signals.messageAdded('another');
  signals.messageAdded('empty');
  await until('the next', () => (polls.length === 7 ? true : undefined));
  expect((polls[6] ?? 0) - (polls[5] ?? 0)).toBeLessThan(1_000);
  await worker.stop();
  const count = polls.length;
  await sleep(300);
  expect(polls).toHaveLength(count);
});

test('signals a message that it adds to the poison queue', async () => {
  const done: string[] = [];
  const message = { id: '1', content: 'bad', dequeueCount: 5, popReceipt: 'p' } as QueueMessage;
  const batches = [[message]];
  const queue = {
    name: 'orders',
    exists: async () => true,
    receive: async () => batches.pop() ?? [],
    remove: async () => done.push('removed'),
  };
  const poison = { name: 'orders-poison', put: async (content: string) => done.push(`put ${content}`) };
  const signals = new QueueSignals();
  signals.onMessage('orders-poison', () => done.push('signaled'));
  const worker = new QueueWorker({
    queue: queue as unknown as StorageQueue,
    settings: SETTINGS,
    signals,
    handle: () => Promise.reject(new Error('on purpose')),
    poisonFor: () => poison as unknown as StorageQueue,
  });
  worker.start();
  await until('the signal', () => (done.includes('signaled') ? true : undefined));
  expect(done).toEqual(['put bad', 'removed', 'signaled']);
  await worker.stop();
});

test('logs a failure to read the queue once, and once when it is over', async () => {
  let polls = 0;
  let away = true;
  const queue = {
    name: 'orders',
    exists: async () => ++polls > 0,
    receive: () => (away ? Promise.reject(new Error('no route')) : Promise.resolve([])),
  };
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    const worker = new QueueWorker({
      queue: queue as unknown as StorageQueue,
      settings: { ...SETTINGS, maxPollingInterval: 100 },
      signals: new QueueSignals(),
      handle: async () => {},
      poisonFor: () => undefined,
    });
    worker.start();
    await until('three polls', () => (polls >= 3 ? true : undefined));
    away = false;
    await until('the end', () => (written.some((text) => text.includes('is readable again')) ? true : undefined));
    await worker.stop();
  } finally {
    spy.mockRestore();
  }
  const said = written.filter((text) => text.includes('"orders"'));
  expect(said).toEqual([expect.stringContaining('Cannot read queue'), expect.stringContaining('is readable again')]);
});

test('a message stays invisible while its function runs, and is deleted after that', async () => {
  const azurite = await startAzurite({ accounts: [{ name: 'one', key: newAccountKey() }] });
  try {
    const service = QueueServiceClient.fromConnectionString(azurite.connectionString('one'));
    const client = service.getQueueClient('long');
    await client.create();
    await client.sendMessage('work');
    const handled: QueueMessage[] = [];
    let ended = 0;
    const worker = new QueueWorker({
      queue: new StorageQueue(service, 'long'),
      settings: { ...SETTINGS, maxPollingInterval: 100 },
      signals: new QueueSignals(),
      invisibleFor: 2_000,
      poisonFor: () => undefined,
      async handle(message) {
        handled.push(message);
        await sleep(5_000);
        ended++;
      },
    });
    worker.start();
    await until('its end', () => (ended === 1 ? true : undefined));
    // The host has hidden it more than once, and deletes it with the last pop receipt.
    await until(
      'it to be deleted',
      async () => (await client.getProperties()).approximateMessagesCount === 0 || undefined,
    );
    expect(handled.map(({ dequeueCount }) => dequeueCount)).toEqual([1]);
    await worker.stop();
  } finally {
    await azurite.stop();
  }
});
