import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { OutageLog } from '../outage-log.ts';
import type { QueueSettings } from '../settings/host-settings.ts';
import { isNotFound } from '../storage/error-code.ts';
import { keepInvisible } from './invisibility.ts';
import { decodeMessage } from './message-text.ts';
import { PollingDelay } from './polling-delay.ts';
import { isPoisonQueue } from './queue-name.ts';
import type { QueueSignals } from './queue-signals.ts';
import type { QueueMessage, StorageQueue } from './storage-queue.ts';

/** Milliseconds for which the host hides a message at a time, as the real host does. */
const INVISIBLE = 10 * 60_000;

export interface QueueWork {
  queue: StorageQueue;
  settings: QueueSettings;
  signals: QueueSignals;
  /** Processes one message. If it rejects, the queue retries the message. */
  handle(message: QueueMessage, text: string): Promise<void>;
  /** The queue for a message that failed permanently; undefined: the message stays in its queue. */
  poisonFor(message: QueueMessage): StorageQueue | undefined;
  /** Whether the worker creates the queue. By default, it waits until another process does. */
  createsQueue?: boolean;
  /** Milliseconds for which the worker hides a message at a time. */
  invisibleFor?: number;
}

/** Polls one queue and processes each message at least once, as the real host does. */
export class QueueWorker {
  readonly #work: QueueWork;
  readonly #invisibleFor: number;
  readonly #running = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  #wake: AbortController = new AbortController();
  #exists = false;
  readonly #outage = new OutageLog();
  #polling: Promise<void> = Promise.resolve();

  constructor(work: QueueWork) {
    this.#work = work;
    this.#invisibleFor = work.invisibleFor ?? INVISIBLE;
  }

  start(): void {
    this.#work.signals.onMessage(this.#work.queue.name, () => this.#wake.abort());
    this.#polling = this.#poll();
  }

  /** Takes no more messages, and resolves when the running ones have ended. */
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
      // From here on, a signal is for a message that this poll may have missed.
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

  /** Takes a batch and starts to process it. Returns whether there was a message. */
  async #take(): Promise<boolean> {
    const { queue, settings, createsQueue } = this.#work;
    try {
      // This check avoids an error in the log of the service at every poll.
      this.#exists ||= await (createsQueue ? queue.create() : queue.exists());
      if (!this.#exists) {
        // A poison queue only exists once a message has failed.
        if (!isPoisonQueue(queue.name)) {
          this.#outage.started('information', `Queue "${queue.name}" does not exist yet. Waiting for it.`);
        }
        return false;
      }
      const messages = await queue.receive(settings.batchSize, this.#invisibleFor);
      this.#outage.ended(`Queue "${queue.name}" is readable again.`);
      for (const message of messages) {
        if (this.#stopped.signal.aborted) await queue.hide(message, 0);
        else this.#begin(message);
      }
      return messages.length > 0;
    } catch (error) {
      this.#exists = false;
      const reason = isNotFound(error) ? 'the queue was deleted.' : messageOf(error);
      this.#outage.started('error', `Cannot read queue "${queue.name}". The host keeps retrying: ${reason}`);
      return false;
    }
  }

  #begin(message: QueueMessage): void {
    const { name } = this.#work.queue;
    const running = this.#process(message)
      .catch((error: unknown) => {
        // The message is still invisible for a while, then the queue delivers it again.
        writeLog('error', `Queue "${name}": message ${message.id} failed. The queue retries it: ${messageOf(error)}`);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #process(message: QueueMessage): Promise<void> {
    const { queue, settings, handle, poisonFor } = this.#work;
    const text = decodeMessage(message.content, settings.messageEncoding);
    if (text === undefined) return this.#moveToPoison(message, `is not ${settings.messageEncoding} text`);
    if (message.dequeueCount > settings.maxDequeueCount) return this.#moveToPoison(message, 'was delivered too often');
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
    const attempt = `attempt ${dequeueCount} of ${settings.maxDequeueCount}`;
    writeLog('error', `Queue "${queue.name}": message ${message.id} failed (${attempt}): ${messageOf(failure)}`);
    if (dequeueCount >= settings.maxDequeueCount) await this.#moveToPoison(current, `failed ${dequeueCount} times`);
    // Without a poison queue, the message stays invisible for a while, so that it does not fail in a tight loop.
    else if (poisonFor(current) !== undefined) await queue.hide(current, settings.visibilityTimeout);
  }

  async #moveToPoison(message: QueueMessage, reason: string): Promise<void> {
    const { queue, signals, poisonFor } = this.#work;
    const poison = poisonFor(message);
    if (poison === undefined) return;
    writeLog('warning', `Queue "${queue.name}": message ${message.id} ${reason}. Moving it to queue "${poison.name}".`);
    await poison.put(message.content);
    await queue.remove(message);
    signals.messageAdded(poison.name);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
