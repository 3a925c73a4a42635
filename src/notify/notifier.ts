import type { Channel } from '#config/notify.ts';
import type { Message } from '#domain/watch/notices.ts';
import type { Ping } from '#domain/watch/ping.ts';
import { composed, type Sending } from './messages.ts';
import { pingRequest } from './ping.ts';
import { post } from './post.ts';

/** Sends by HTTP. `about` is asked for each message. */
export function notifierOf(about: () => Sending) {
  return {
    async send(channel: Channel, message: Message): Promise<void> {
      await post(await composed(channel, message, about()));
    },
    ping(address: string, ping: Ping): Promise<void> {
      return post(pingRequest(address, ping));
    },
  };
}
