import type { Dependencies } from '#app/dependencies.ts';
import type { Message, Sent } from '#domain/watch/notices.ts';

/** So many messages to one channel in one pass. The others follow in the next passes. */
const MOST_AT_ONCE = 20;
/** One message that a channel refuses must not keep others back for long, and each try may take half a minute. */
const MOST_REFUSED = 3;

/** Sends messages, to each channel in their order. */
export async function sendMessages(deps: Dependencies, messages: readonly Message[]): Promise<Sent> {
  const byChannel = Map.groupBy(messages, ({ channel }) => channel);
  const refusedBy = new Set<string>();
  const taken = await Promise.all(
    [...byChannel.values()].map((each) => sendInOrder(deps, each.slice(0, MOST_AT_ONCE), refusedBy)),
  );
  return { taken: taken.flat(), refusedBy };
}

async function sendInOrder(
  deps: Dependencies,
  messages: readonly Message[],
  refusedBy: Set<string>,
): Promise<Message[]> {
  const taken: Message[] = [];
  let refused = 0;
  for (const message of messages) {
    const channel = deps.configuration.notify.channels.find(({ name }) => name === message.channel);
    if (!channel) continue;
    try {
      await deps.notifier.send(channel, message);
      taken.push(message);
    } catch (error) {
      deps.telemetry.warn('message-not-sent', { channel: channel.name, message: (error as Error).message });
      refusedBy.add(channel.name);
      if (++refused === MOST_REFUSED) break;
    }
  }
  return taken;
}
