import { expect, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import type { Message } from '#domain/watch/notices.ts';
import { sendMessages } from '#functions/watch/send-messages.ts';

const messages = (channel: string, count: number): Message[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${channel}${index}`, channel, notices: [] }));

/** Sends to channels of which some messages are refused; returns what was tried, and the result. */
async function sent(all: readonly Message[], isRefused: (id: string) => boolean = () => false) {
  const tried: string[] = [];
  const logged: object[] = [];
  const deps = {
    configuration: { notify: { channels: [{ name: 'a' }, { name: 'b' }] } },
    telemetry: { warn: (name: string, about: object) => logged.push({ name, ...about }) },
    notifier: {
      send: async (_: unknown, { id }: Message) => {
        tried.push(id);
        if (isRefused(id)) throw new Error('HTTP 500');
      },
    },
  } as unknown as Dependencies;
  const { taken, refusedBy } = await sendMessages(deps, all);
  return { tried, logged, taken: taken.map(({ id }) => id), refusedBy: [...refusedBy] };
}

test('a channel gets at most twenty messages in one pass, the oldest first', async () => {
  const { tried, taken } = await sent(messages('a', 30));
  expect(taken).toEqual(tried);
  expect(taken).toEqual(messages('a', 20).map(({ id }) => id));
});

test('a message that is refused keeps no later one back, and a channel is left after three', async () => {
  const { tried, taken, refusedBy, logged } = await sent([...messages('a', 9), ...messages('b', 2)], (id) =>
    ['a0', 'a2', 'a4'].includes(id),
  );
  expect(tried.filter((id) => id.startsWith('a'))).toEqual(['a0', 'a1', 'a2', 'a3', 'a4']);
  expect(taken).toEqual(['a1', 'a3', 'b0', 'b1']);
  expect(refusedBy).toEqual(['a']);
  expect(logged).toEqual(
    Array.from({ length: 3 }, () => ({ name: 'message-not-sent', channel: 'a', message: 'HTTP 500' })),
  );
});

test('a channel of another app is left to it', async () => {
  expect(await sent(messages('c', 1))).toMatchObject({ tried: [], taken: [], refusedBy: [] });
});
