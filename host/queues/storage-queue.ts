import type { QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { storageErrorCode } from '../storage/error-code.ts';

/** Nothing here takes long; what does is not going to end. */
const PATIENCE = 60_000;

export interface QueueMessage {
  id: string;
  /** As it lies in the queue, which may be Base64. */
  content: string;
  /** Which taking of the message this is, counted from 1. */
  dequeueCount: number;
  /** Proves that the message is still ours; every change of it gives a new one. */
  popReceipt: string;
  insertedOn: Date;
  expiresOn: Date;
  nextVisibleOn: Date;
}

/** A queue of a storage account, as far as working it off needs it. Rejects with the errors of the SDK. */
export class StorageQueue {
  readonly name: string;
  readonly #client: QueueClient;

  constructor(service: QueueServiceClient, name: string) {
    this.name = name;
    this.#client = service.getQueueClient(name);
  }

  exists(): Promise<boolean> {
    return this.#client.exists(patience());
  }

  /** There it is, afterwards. */
  async create(): Promise<true> {
    await this.#client.createIfNotExists(patience());
    return true;
  }

  /** Takes up to `count` messages, which nobody else sees for `invisibleFor` milliseconds. */
  async receive(count: number, invisibleFor: number): Promise<QueueMessage[]> {
    const { receivedMessageItems } = await this.#client.receiveMessages({
      numberOfMessages: count,
      visibilityTimeout: seconds(invisibleFor),
      ...patience(),
    });
    return receivedMessageItems.map((item) => ({
      id: item.messageId,
      content: item.messageText,
      dequeueCount: item.dequeueCount,
      popReceipt: item.popReceipt,
      insertedOn: item.insertedOn,
      expiresOn: item.expiresOn,
      nextVisibleOn: item.nextVisibleOn,
    }));
  }

  /** Keeps a message from sight for so many milliseconds from now; the new receipt, or `undefined` when it is ours no more. */
  async hide(message: QueueMessage, invisibleFor: number): Promise<string | undefined> {
    try {
      const { id, popReceipt } = message;
      const updated = await this.#client.updateMessage(id, popReceipt, undefined, seconds(invisibleFor), patience());
      return updated.popReceipt;
    } catch (error) {
      if (isLost(error)) return undefined;
      throw error;
    }
  }

  /** A message that is ours no more is left to whoever has it now. */
  async remove({ id, popReceipt }: QueueMessage): Promise<void> {
    try {
      await this.#client.deleteMessage(id, popReceipt, patience());
    } catch (error) {
      if (!isLost(error)) throw error;
    }
  }

  /** Puts a message in, creating the queue when there is none. */
  async put(content: string): Promise<void> {
    try {
      await this.#client.sendMessage(content, patience());
    } catch (error) {
      if (storageErrorCode(error) !== 'QueueNotFound') throw error;
      await this.#client.createIfNotExists(patience());
      await this.#client.sendMessage(content, patience());
    }
  }
}

function isLost(error: unknown): boolean {
  const code = storageErrorCode(error) ?? '';
  return ['PopReceiptMismatch', 'MessageNotFound', 'QueueNotFound', 'QueueBeingDeleted', 'QueueDisabled'].includes(
    code,
  );
}

function patience(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(PATIENCE) };
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}
