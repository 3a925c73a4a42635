import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import type { QueueSettings } from '../settings/host-settings.ts';
import { isNotFound } from '../storage/error-code.ts';
import { Trouble } from '../trouble.ts';
import { keepInvisible } from './invisibility.ts';
import { decodeMessage } from './message-text.ts';
import { PollingDelay } from './polling-delay.ts';
import type { QueueBell } from './queue-bell.ts';
import { isPoisonQueue } from './queue-name.ts';
import type { QueueMessage, StorageQueue } from './storage-queue.ts';

/** As long as the real host takes a message for itself at a time. */
const INVISIBLE = 10 * 60_000;

export interface QueueWork {
  queue: StorageQueue;
  settings: QueueSettings;
  bell: QueueBell;
  /** Works on one message; the message is tried again when it rejects. */
  handle(message: QueueMessage, text: string): Promise<void>;
  /** Where a message goes that fails for good; `undefined` leaves it where it is. */
  poisonFor(message: QueueMessage): StorageQueue | undefined;
  /** The queue is this host's own; that of a trigger is for others to create. */
  createsQueue?: boolean;
  /** How long a message is taken for at a time, in milliseconds. */
  invisibleFor?: number;
}

/** Polls one queue and works its messages off, each at least once, as the real host does. */
export class QueueWorker {
  readonly #work: QueueWork;
  readonly #invisibleFor: number;
  readonly #running = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  #wake: AbortController = new AbortController();
  #exists = false;
  readonly #trouble = new Trouble();
  #polling: Promise<void> = Promise.resolve();

  constructor(work: QueueWork) {
    this.#work = work;
    this.#invisibleFor = work.invisibleFor ?? INVISIBLE;
  }

  start(): void {
    this.#work.bell.listen(this.#work.queue.name, () => this.#wake.abort());
    this.#polling = this.#poll();
  }

  /** Takes no more messages, and resolves when those under way are done. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake.abort();
    await this.#polling;
    await Promise.all(this.#running);
  }

  async #poll(): Promise<void> {
    const { newBatchThreshold, maxPollingInterval } = this.#work.settings;
    const delay = new PollingDelay(maxPollingInterval);
    let found = false;
    while (!this.#stopped.signal.aborted) {
      // A bell that rings from here on is for a message this look may have missed.
      this.#wake = new AbortController();
      if (await this.#take()) {
        found = true;
        while (this.#running.size > newBatchThreshold && !this.#stopped.signal.aborted) {
          await Promise.race([...this.#running, aborted(this.#stopped.signal)]);
        }
      } else {
        const signal = AbortSignal.any([this.#wake.signal, this.#stopped.signal]);
        await sleep(delay.next(found), undefined, { signal }).catch(() => undefined);
        found = false;
      }
    }
  }

  /** Takes a batch and begins with it; whether there was a message. */
  async #take(): Promise<boolean> {
    const { queue, settings, createsQueue } = this.#work;
    try {
      // Asking first spares an error at every look.
      this.#exists ||= await (createsQueue ? queue.create() : queue.exists());
      if (!this.#exists) {
        // That nothing has failed yet is no trouble.
        if (!isPoisonQueue(queue.name)) {
          this.#trouble.begins('information', `Queue "${queue.name}" does not exist yet; waiting for it.`);
        }
        return false;
      }
      const messages = await queue.receive(settings.batchSize, this.#invisibleFor);
      this.#trouble.ends(`Queue "${queue.name}" can be read now.`);
      for (const message of messages) {
        if (this.#stopped.signal.aborted) await queue.hide(message, 0);
        else this.#begin(message);
      }
      return messages.length > 0;
    } catch (error) {
      this.#exists = false;
      const reason = isNotFound(error) ? 'it is gone' : messageOf(error);
      this.#trouble.begins('error', `Queue "${queue.name}" cannot be read, and is tried again and again: ${reason}`);
      return false;
    }
  }

  #begin(message: QueueMessage): void {
    const { name } = this.#work.queue;
    const running = this.#process(message)
      .catch((error: unknown) => {
        // Taken for a while still, after which it comes again by itself.
        writeLog('error', `Queue "${name}": message ${message.id} comes again: ${messageOf(error)}`);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #process(message: QueueMessage): Promise<void> {
    const { queue, settings, handle, poisonFor } = this.#work;
    const text = decodeMessage(message.content, settings.messageEncoding);
    if (text === undefined) return this.#bury(message, `is not ${settings.messageEncoding} text`);
    if (message.dequeueCount > settings.maxDequeueCount) return this.#bury(message, 'was taken too often');
    const end = keepInvisible(queue, message, this.#invisibleFor);
    let failure: unknown;
    try {
      await handle(message, text);
    } catch (error) {
      failure = error ?? new Error('The function threw nothing.');
    }
    const current = await end();
    if (failure === undefined) return queue.remove(current);
    const { dequeueCount } = current;
    const tries = `try ${dequeueCount} of ${settings.maxDequeueCount}`;
    writeLog('error', `Queue "${queue.name}": message ${message.id} failed (${tries}): ${messageOf(failure)}`);
    if (dequeueCount >= settings.maxDequeueCount) await this.#bury(current, `failed ${dequeueCount} times`);
    // Where there is no poison queue, being invisible is what keeps it from coming again at once, for ever.
    else if (poisonFor(current) !== undefined) await queue.hide(current, settings.visibilityTimeout);
  }

  async #bury(message: QueueMessage, reason: string): Promise<void> {
    const { queue, bell, poisonFor } = this.#work;
    const poison = poisonFor(message);
    if (poison === undefined) return;
    writeLog(
      'warning',
      `Queue "${queue.name}": message ${message.id} ${reason}, and is moved to queue "${poison.name}".`,
    );
    await poison.put(message.content);
    await queue.remove(message);
    bell.ring(poison.name);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
