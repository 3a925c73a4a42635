import type { Channel } from '#config/notify.ts';
import type { Message } from '#domain/watch/notices.ts';
import type { Ping } from '#domain/watch/ping.ts';

/** Sends messages out of the app. Errors say why, without the address. */
export interface Notifier {
  send(channel: Channel, message: Message): Promise<void>;
  ping(address: string, ping: Ping): Promise<void>;
}
