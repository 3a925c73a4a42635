import { setTimeout as sleep } from 'node:timers/promises';
import { foreignHub, HUBS_CONTAINER, type HubOwner, isSameOwner, parseOwner } from '#domain/run/task-hub.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';

const PATIENCE_MS = 5_000;
const UNKNOWN_FOR_MS = 60_000;

/**
 * The task hub of this app. A note in its storage says whose it is, and the first app writes it: an app with another
 * name or other vaults must not use it.
 */
export class TaskHub {
  readonly #name: string;
  readonly #storage: BlobAccount;
  readonly #owner: HubOwner;
  readonly #now: () => Date;
  /** An answer is looked up again after this time. */
  #validUntil = Number.NEGATIVE_INFINITY;
  #answer: Promise<string | undefined> = Promise.resolve(undefined);

  constructor(name: string, storage: BlobAccount, owner: HubOwner, now: () => Date) {
    this.#name = name;
    this.#storage = storage;
    this.#owner = owner;
    this.#now = now;
  }

  /**
   * Why this app must not use its hub; undefined if it may. A storage that does not answer is no reason: the host
   * cannot do anything without it either.
   */
  refusal(): Promise<string | undefined> {
    const now = this.#now().getTime();
    if (now >= this.#validUntil) {
      this.#validUntil = now + UNKNOWN_FOR_MS;
      this.#answer = this.#ask();
    }
    return this.#answer;
  }

  async #ask(): Promise<string | undefined> {
    try {
      const late = sleep(PATIENCE_MS, undefined, { ref: false });
      const owner = await Promise.race([this.#claim(), late]);
      if (owner === undefined) return undefined;
      if (!isSameOwner(owner, this.#owner)) return foreignHub(this.#name, owner);
      // No other app takes a hub from its owner.
      this.#validUntil = Number.POSITIVE_INFINITY;
    } catch (error) {
      if (!isStorageError(error)) throw error;
    }
    return undefined;
  }

  /** The owner of the hub, which is this app if there was none. Undefined if the note cannot be read. */
  async #claim(): Promise<HubOwner | undefined> {
    const found = await this.#storage.getObject(HUBS_CONTAINER, this.#name);
    if (found) return parseOwner(found.body.toString('utf8'));
    const note = Buffer.from(`${JSON.stringify(this.#owner)}\n`);
    try {
      await this.#storage.createContainer(HUBS_CONTAINER);
      await this.#storage.putObject(HUBS_CONTAINER, this.#name, note, {
        contentType: 'application/json',
        expect: 'absent',
      });
      return this.#owner;
    } catch (error) {
      if (!isStorageError(error, 'precondition')) throw error;
      // Another instance or another app was faster.
      const first = await this.#storage.getObject(HUBS_CONTAINER, this.#name);
      return first && parseOwner(first.body.toString('utf8'));
    }
  }
}

/** A step of a run of another app must not be executed with the configuration and the rights of this one. */
export function inOwnHub<Input, Result>(
  hub: Pick<TaskHub, 'refusal'> | undefined,
  handler: (input: Input) => Promise<Result>,
): (input: Input) => Promise<Result> {
  return async (input) => {
    const refusal = await hub?.refusal();
    if (refusal !== undefined) throw new Error(refusal);
    return handler(input);
  };
}
