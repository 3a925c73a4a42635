import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Azurite, newAccountKey, startAzurite } from '../../../host/azurite/azurite.ts';
import { HostDidNotStart } from '../../support/app/host-process.ts';
import { Fixture, until } from './fixture.ts';

const NAMES = Array.from({ length: 12 }, (_, index) => `account${index}`);
let azurite: Azurite;
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

beforeAll(async () => {
  azurite = await startAzurite({ accounts: NAMES.map((name) => ({ name, key: newAccountKey() })) });
});
afterAll(() => azurite.stop());

/** An account that no other test has, and the host's settings to listen there without long waits. */
function account() {
  const connection = azurite.connectionString(NAMES.pop() ?? 'none left');
  const service = QueueServiceClient.fromConnectionString(connection);
  return {
    env: { QUEUES: connection, AzureFunctionsJobHost__extensions__queues__maxPollingInterval: '00:00:00.100' },
    queue: (name: string) => service.getQueueClient(name),
  };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

function effectsOf<T>(fixture: Fixture, name: string): T[] {
  return fixture.effects(`${name} {`).map((line) => JSON.parse(line.slice(name.length)) as T);
}

async function waiting(queue: ReturnType<ReturnType<typeof account>['queue']>): Promise<number> {
  return (await queue.getProperties()).approximateMessagesCount ?? 0;
}

interface Recorded {
  message: unknown;
  triggerMetadata: Record<string, unknown>;
}

describe('a queue function', () => {
  test('gets the message and what the real host adds to it, and the message is deleted', async () => {
    const { env, queue } = account();
    const orders = queue('orders');
    await orders.create();
    const sent = await orders.sendMessage(base64('{"order":7,"text":"grün"}'));
    const fixture = await Fixture.start({ env: { ...env, FIXTURE_STORAGE: 'record' } });
    const [recorded] = await until('the message', () => {
      const all = effectsOf<Recorded>(fixture, 'record');
      return all.length > 0 ? all : undefined;
    });
    const seconds = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
    expect(recorded).toEqual({
      message: { order: 7, text: 'grün' },
      triggerMetadata: {
        queueTrigger: { order: 7, text: 'grün' },
        dequeueCount: 1,
        id: sent.messageId,
        insertionTime: seconds,
        expirationTime: seconds,
        nextVisibleTime: seconds,
        popReceipt: expect.stringMatching(/./),
      },
    });
    await until('its end', async () => ((await waiting(orders)) === 0 ? true : undefined));

    // The host finds later messages without a signal.
    await orders.sendMessage(base64('plain words'));
    await until('the second', () => (effectsOf(fixture, 'record').length === 2 ? true : undefined));
    expect(effectsOf<Recorded>(fixture, 'record')[1]?.message).toBe('plain words');
    await until('its end', async () => ((await waiting(orders)) === 0 ? true : undefined));
  });

  test('waits for a queue that is not there yet, and for one that was deleted to come back', async () => {
    const { env, queue } = account();
    const orders = queue('orders');
    const fixture = await Fixture.start({ env: { ...env, FIXTURE_STORAGE: 'record' } });
    const times = () => fixture.host.output().split('Queue "orders" does not exist yet').length - 1;
    await until('the host to look', () => (times() === 1 ? true : undefined));
    expect(await orders.exists()).toBe(false);
    await orders.create();
    await orders.sendMessage(base64('one'));
    await until('the first', () => (effectsOf(fixture, 'record').length === 1 ? true : undefined));
    await orders.delete();
    await until('the host to look', () => (fixture.host.output().includes('Cannot read queue') ? true : undefined));
    await orders.create();
    await orders.sendMessage(base64('two'));
    await until('the second', () => (effectsOf(fixture, 'record').length === 2 ? true : undefined));
    // Each trouble is said once, however often it was met.
    expect(times()).toBe(1);
    expect(fixture.host.output().split('is readable again').length - 1).toBe(2);
  });

  test('that fails gets the message five times; then it lies in the poison queue, as it was sent', async () => {
    const { env, queue } = account();
    await queue('failing').create();
    const text = base64('{"broken":true}');
    await queue('failing').sendMessage(text);
    const fixture = await Fixture.start({ env: { ...env, FIXTURE_STORAGE: 'refuse' } });
    const poison = queue('failing-poison');
    await until(
      'the poison queue',
      async () => ((await poison.exists()) && (await waiting(poison)) === 1) || undefined,
    );
    expect(effectsOf(fixture, 'refuse')).toEqual(
      [1, 2, 3, 4, 5].map((dequeueCount) => ({ message: { broken: true }, dequeueCount })),
    );
    expect((await poison.peekMessages()).peekedMessageItems.map(({ messageText }) => messageText)).toEqual([text]);
    await until('it to leave', async () => ((await waiting(queue('failing'))) === 0 ? true : undefined));
    expect(fixture.host.output()).toMatch(/failed 5 times. Moving it to queue "failing-poison"/);
  });

  test('of the poison queue gets what failed for good; its own failures stay where they are', async () => {
    const { env, queue } = account();
    const names = ['failing', 'lost-poison'];
    await Promise.all(names.map((name) => queue(name).create()));
    const slowly = { AzureFunctionsJobHost__extensions__queues__maxPollingInterval: '00:01:00' };
    const fixture = await Fixture.start({
      env: { ...env, ...slowly, FIXTURE_STORAGE: 'refuse,poisoned,failPoison' },
    });
    await queue('lost-poison').sendMessage(base64('lost'));
    await until('the poison function', () => (effectsOf(fixture, 'failPoison').length === 1 ? true : undefined));
    await queue('failing').sendMessage(base64('bad'));
    await until(
      'the message of the other',
      () => (effectsOf(fixture, 'poisoned').length > 0 ? true : undefined),
      25_000,
    );
    expect(effectsOf(fixture, 'poisoned')).toEqual([{ message: 'bad', dequeueCount: 1 }]);
    // Still there, not to be seen, and not in a queue of its own.
    expect(effectsOf(fixture, 'failPoison')).toHaveLength(1);
    expect(await waiting(queue('lost-poison'))).toBe(1);
    expect((await queue('lost-poison').peekMessages()).peekedMessageItems).toEqual([]);
    expect(await queue('lost-poison-poison').exists()).toBe(false);
    expect(fixture.host.output()).not.toContain('does not exist');
  });

  test('waits between two tries as long as host.json says', async () => {
    const { env, queue } = account();
    await queue('failing').create();
    await queue('failing').sendMessage(base64('bad'));
    const fixture = await Fixture.start({
      env: {
        ...env,
        FIXTURE_STORAGE: 'refuse',
        AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:00:02',
        AzureFunctionsJobHost__extensions__queues__maxDequeueCount: '2',
      },
    });
    await until('the first try', () => (effectsOf(fixture, 'refuse').length === 1 ? true : undefined));
    const first = Date.now();
    await until('the second', () => (effectsOf(fixture, 'refuse').length === 2 ? true : undefined));
    expect(Date.now() - first).toBeGreaterThan(900);
    await until('the poison queue', () =>
      queue('failing-poison')
        .exists()
        .then((exists) => exists || undefined),
    );
    expect(effectsOf(fixture, 'refuse')).toHaveLength(2);
  });

  test('is not called for a message that is not Base64, which goes to the poison queue, unless host.json allows it', async () => {
    const { env, queue } = account();
    const orders = queue('orders');
    await orders.create();
    await orders.sendMessage('plain text, not Base64');
    const fixture = await Fixture.start({ env: { ...env, FIXTURE_STORAGE: 'record' } });
    const poison = queue('orders-poison');
    await until(
      'the poison queue',
      async () => ((await poison.exists()) && (await waiting(poison)) === 1) || undefined,
    );
    const [moved] = (await poison.peekMessages()).peekedMessageItems;
    expect(moved?.messageText).toBe('plain text, not Base64');
    expect(effectsOf(fixture, 'record')).toEqual([]);
    await fixture.host.stop();

    await orders.sendMessage('plain text, not Base64');
    const plain = await fixture.restart({
      env: { ...env, FIXTURE_STORAGE: 'record', AzureFunctionsJobHost__extensions__queues__messageEncoding: 'none' },
    });
    await until('the message', () => (effectsOf(plain, 'record').length > 0 ? true : undefined));
    expect(effectsOf<Recorded>(plain, 'record')[0]?.message).toBe('plain text, not Base64');
  });

  test('runs no more than a batch and the threshold at once', async () => {
    const { env, queue } = account();
    await queue('slow').create();
    await Promise.all(
      Array.from({ length: 14 }, (_, n) =>
        queue('slow').sendMessage(base64(JSON.stringify({ n, ms: n % 3 === 0 ? 50 : 500 }))),
      ),
    );
    const fixture = await Fixture.start({
      env: {
        ...env,
        FIXTURE_STORAGE: 'linger',
        AzureFunctionsJobHost__extensions__queues__batchSize: '3',
        AzureFunctionsJobHost__extensions__queues__newBatchThreshold: '2',
      },
    });
    await until('all of them', () => (effectsOf(fixture, 'linger ends').length === 14 ? true : undefined));
    const most = Math.max(
      ...effectsOf<{ concurrent: number }>(fixture, 'linger begins').map((line) => line.concurrent),
    );
    expect(most).toBeGreaterThan(3);
    expect(most).toBeLessThanOrEqual(5);
    expect(new Set(effectsOf<{ n: number }>(fixture, 'linger ends').map(({ n }) => n)).size).toBe(14);
  });

  test('whose host was killed gets the message again', async () => {
    const { env, queue } = account();
    const slow = queue('slow');
    await slow.create();
    await slow.sendMessage(base64(JSON.stringify({ n: 1, ms: 3_000 })));
    const options = { env: { ...env, FIXTURE_STORAGE: 'linger' } };
    let fixture = await Fixture.start(options);
    await until('its beginning', () => (fixture.effects('linger begins').length > 0 ? true : undefined));
    expect((await slow.peekMessages()).peekedMessageItems).toEqual([]);
    await fixture.host.kill('SIGKILL');
    const [{ id, popReceipt } = { id: '', popReceipt: '' }] = effectsOf<{ id: string; popReceipt: string }>(
      fixture,
      'linger begins',
    );
    // What the ten minutes would do for which it was taken.
    await slow.updateMessage(id, popReceipt, undefined, 0);
    fixture = await fixture.restart(options);
    await until('its end', () => (effectsOf(fixture, 'linger ends').length > 0 ? true : undefined));
    expect(effectsOf(fixture, 'linger ends')).toEqual([{ n: 1, dequeueCount: 2 }]);
    await until('it to be deleted', async () => ((await waiting(slow)) === 0 ? true : undefined));
  });

  test('that runs when the host is stopped is waited for, and its message is deleted', async () => {
    const { env, queue } = account();
    await queue('slow').create();
    await queue('slow').sendMessage(base64(JSON.stringify({ n: 1, ms: 1_000 })));
    const fixture = await Fixture.start({ env: { ...env, FIXTURE_STORAGE: 'linger' } });
    await until('its beginning', () => (fixture.effects('linger begins').length > 0 ? true : undefined));
    expect(await fixture.host.stop()).toBe(0);
    expect(fixture.effects('linger ends')).toHaveLength(1);
    expect(await waiting(queue('slow'))).toBe(0);
  });

  test('is fired by hand with a text', async () => {
    const { env } = account();
    const fixture = await Fixture.start({ env: { ...env, FIXTURE_STORAGE: 'record' } });
    expect((await fixture.post('/admin/functions/record', { input: '{"by":"hand"}' })).status).toBe(202);
    await until('the call', () => (effectsOf(fixture, 'record').length > 0 ? true : undefined));
    expect(effectsOf<Recorded>(fixture, 'record')[0]).toMatchObject({
      message: { by: 'hand' },
      triggerMetadata: { queueTrigger: { by: 'hand' }, dequeueCount: 0 },
    });
  });
});

test('the host starts while the queue service is unreachable, and logs that once', async () => {
  const { env } = account();
  const gone = env.QUEUES.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:9');
  const fixture = await Fixture.start({ env: { ...env, QUEUES: gone, FIXTURE_STORAGE: 'record' } });
  const times = () => fixture.host.output().split('Cannot read queue "orders"').length - 1;
  await until('the trouble', () => (times() > 0 ? true : undefined));
  expect((await fixture.fetch('/api/hello/world')).status).toBe(200);
  expect(fixture.host.output()).toContain('ECONNREFUSED');
  expect(await fixture.host.stop()).toBe(0);
  expect(times()).toBe(1);
});

test.each([
  [
    { FIXTURE_STORAGE: 'record', QUEUES: undefined },
    /"record" needs the storage account "QUEUES".*QUEUES__queueServiceUri/,
  ],
  [{ FIXTURE_STORAGE: 'record', QUEUES: 'AccountKey=very/secret' }, /"QUEUES".*is not a complete connection string/],
  [{ FIXTURE_STORAGE: 'own', OWN_QUEUE: 'x1x', AzureWebJobsStorage: undefined }, /"own" needs .*"AzureWebJobsStorage"/],
  [
    { FIXTURE_STORAGE: 'own', OWN_QUEUE: 'No_Queue', AzureWebJobsStorage: 'UseDevelopmentStorage=true' },
    /"%OWN_QUEUE%"/,
  ],
  [
    { AzureFunctionsJobHost__extensions__queues__batchSize: '33' },
    /"AzureFunctionsJobHost__extensions__queues__batchSize" must be a whole number from 1 to 32/,
  ],
])('the host does not start with %j, and says why', async (env, reason) => {
  const outcome = await Fixture.start({ env }).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(HostDidNotStart);
  const { exitCode, output } = outcome as HostDidNotStart;
  expect([exitCode, output]).toEqual([2, expect.stringMatching(reason)]);
  expect(output).not.toContain('secret');
});
