import type { QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { storageErrorCode } from '../storage/error-code.ts';

/** Milliseconds. No request here takes long; one that does is not going to end. */
const TIMEOUT = 60_000;

export interface QueueMessage {
  id: string;
  /** As stored in the queue; may be Base64. */
  content: string;
  /** How often the queue has delivered the message, including this time. */
  dequeueCount: number;
  /** Proves that this host still has the message. Every update returns a new one. */
  popReceipt: string;
  insertedOn: Date;
  expiresOn: Date;
  nextVisibleOn: Date;
}

/** A queue of a storage account, with the requests that processing needs. Rejects with the errors of the SDK. */
export class StorageQueue {
  readonly name: string;
  readonly #client: QueueClient;

  constructor(service: QueueServiceClient, name: string) {
    this.name = name;
    this.#client = service.getQueueClient(name);
  }

  exists(): Promise<boolean> {
    return this.#client.exists(withTimeout());
  }

  /** Creates the queue unless it exists. */
  async create(): Promise<true> {
    await this.#client.createIfNotExists(withTimeout());
    return true;
  }

  /** Takes up to `count` messages and hides them from other consumers for `invisibleFor` milliseconds. */
  async receive(count: number, invisibleFor: number): Promise<QueueMessage[]> {
    const { receivedMessageItems } = await this.#client.receiveMessages({
      numberOfMessages: count,
      visibilityTimeout: seconds(invisibleFor),
      ...withTimeout(),
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

  /** Hides a message for the given time. Returns the new pop receipt; undefined if another consumer has the message. */
  async hide(message: QueueMessage, invisibleFor: number): Promise<string | undefined> {
    try {
      const { id, popReceipt } = message;
      const updated = await this.#client.updateMessage(id, popReceipt, undefined, seconds(invisibleFor), withTimeout());
      return updated.popReceipt;
    } catch (error) {
      if (isLost(error)) return undefined;
      throw error;
    }
  }

  /** Deletes a message unless another consumer has it. */
  async remove({ id, popReceipt }: QueueMessage): Promise<void> {
    try {
      await this.#client.deleteMessage(id, popReceipt, withTimeout());
    } catch (error) {
      if (!isLost(error)) throw error;
    }
  }

  /** Adds a message. Creates the queue if it does not exist. */
  async put(content: string): Promise<void> {
    try {
      await this.#client.sendMessage(content, withTimeout());
    } catch (error) {
      if (storageErrorCode(error) !== 'QueueNotFound') throw error;
      await this.#client.createIfNotExists(withTimeout());
      await this.#client.sendMessage(content, withTimeout());
    }
  }
}

function isLost(error: unknown): boolean {
  const code = storageErrorCode(error) ?? '';
  return ['PopReceiptMismatch', 'MessageNotFound', 'QueueNotFound', 'QueueBeingDeleted', 'QueueDisabled'].includes(
    code,
  );
}

function withTimeout(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(TIMEOUT) };
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}
