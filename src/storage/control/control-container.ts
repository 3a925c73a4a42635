import { createHash } from 'node:crypto';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { DamagedPartError } from '#domain/run/part.ts';
import { ageOf } from '#domain/run/sign-of-life.ts';
import { formatProblem } from '#domain/run/stored-format.ts';
import type { BlobAccount, BlobPage, ListBlobsOptions, PutObjectOptions, StoredObject } from '../blob-account.ts';
import { isStorageError, StorageError } from '../storage-error.ts';

/** What the health check writes. */
const HEALTH_OBJECT = 'health.json';

/** A JSON document as it is stored. */
export function bytesOf(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

export function sha256Of(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

/** A JSON document as it was read. */
export interface Document<T> {
  value: T;
  etag: string;
  /** Milliseconds since the service wrote it, by its own clock. */
  age: number;
  /** Of its bytes. */
  sha256: string;
}

/** Objects of the control container in one vault. */
export class ControlContainer {
  protected readonly vault: BlobAccount;

  constructor(vault: BlobAccount) {
    this.vault = vault;
  }

  /** A JSON document; undefined if it does not exist. `value` is undefined if it is not JSON. */
  async read(path: string): Promise<Document<unknown> | undefined> {
    const found = await this.get(path);
    if (!found) return undefined;
    const about = { etag: found.etag, age: ageOf(found), sha256: sha256Of(found.body) };
    try {
      return { value: JSON.parse(found.body.toString('utf8')), ...about };
    } catch {
      return { value: undefined, ...about };
    }
  }

  /** As `read`, but throws `damaged` if the document does not have the expected form, or the number of its format. */
  protected async readJson<T>(
    path: string,
    isExpected: (value: unknown) => value is T,
    format?: number,
  ): Promise<Document<T> | undefined> {
    const found = await this.read(path);
    if (!found) return undefined;
    const { value, ...about } = found;
    if (value === undefined) throw this.damaged(path, 'it is not JSON');
    const otherFormat = format === undefined ? undefined : formatProblem(value, format);
    if (otherFormat !== undefined) throw this.damaged(path, otherFormat);
    if (!isExpected(value)) throw this.damaged(path, 'it is JSON, but not of the expected form');
    return { value, ...about };
  }

  /** Writes only if the document is unchanged since it was read (`absent`: does not exist). Otherwise returns false. */
  async writeJson(
    path: string,
    value: unknown,
    expect: { ifMatch: string } | 'absent',
    metadata?: Record<string, string>,
  ): Promise<boolean> {
    return (await this.replace(path, value, expect, metadata)) !== undefined;
  }

  /** As `writeJson`, but returns the new ETag, or undefined if the document has changed. */
  async replace(
    path: string,
    value: unknown,
    expect: { ifMatch: string } | 'absent',
    metadata?: Record<string, string>,
  ): Promise<string | undefined> {
    const body = bytesOf(value);
    try {
      return await this.put(path, body, {
        contentType: 'application/json',
        expect,
        ...(metadata && { metadata }),
      });
    } catch (error) {
      if (!isStorageError(error, 'precondition')) throw error;
      // After a lost answer, the retry of our own write finds the document changed: it has our content then.
      const now = await this.get(path);
      return now?.body.equals(body) ? now.etag : undefined;
    }
  }

  /** One page of the container; empty if the container does not exist. */
  async list(options: ListBlobsOptions): Promise<BlobPage> {
    try {
      return await this.vault.listBlobs(CONTROL_CONTAINER, options);
    } catch (error) {
      if (isStorageError(error, 'container-not-found')) return { blobs: [], prefixes: [] };
      throw error;
    }
  }

  /** The folders directly below a prefix, each with its slash. */
  async *foldersBelow(prefix: string): AsyncGenerator<string> {
    for await (const { prefixes } of this.pages({ prefix, delimiter: '/' })) yield* prefixes;
  }

  protected async *pages(options: ListBlobsOptions): AsyncGenerator<BlobPage> {
    let marker: string | undefined;
    do {
      const page = await this.list({ ...options, ...(marker !== undefined && { marker }) });
      yield page;
      marker = page.next;
    } while (marker !== undefined);
  }

  protected get(path: string): Promise<StoredObject | undefined> {
    return this.vault.getObject(CONTROL_CONTAINER, path);
  }

  /** Writes an object and returns its ETag. Creates the container if it does not exist. */
  protected async put(path: string, body: Buffer, options: PutObjectOptions): Promise<string> {
    const write = async () => {
      try {
        return (await this.vault.putObject(CONTROL_CONTAINER, path, body, options)).etag;
      } catch (error) {
        if (!isStorageError(error, 'immutable')) throw error;
        throw new StorageError('control-immutable', error.message, error.status, error.code);
      }
    };
    try {
      return await write();
    } catch (error) {
      if (!isStorageError(error, 'container-not-found')) throw error;
      await this.vault.createContainer(CONTROL_CONTAINER);
      return write();
    }
  }

  /** Adds a line to an append blob. Creates the container if it does not exist. */
  protected async appendLine(path: string, line: string): Promise<void> {
    const write = () => this.vault.appendObject(CONTROL_CONTAINER, path, Buffer.from(`${line}\n`));
    try {
      await write();
    } catch (error) {
      if (!isStorageError(error, 'container-not-found')) throw error;
      await this.vault.createContainer(CONTROL_CONTAINER);
      await write();
    }
  }

  /**
   * Replaces a small object, as locks and notes are replaced: a policy of the container may refuse that although it may
   * be listed. Does nothing to a vault that has no control container yet.
   */
  async proveReplaceable(): Promise<void> {
    if ((await this.list({ prefix: 'locks/', limit: 1 })).blobs.length === 0) return;
    for (let times = 0; times < 2; times++) {
      await this.put(HEALTH_OBJECT, bytesOf({ written: 'by GET /api/health' }), { contentType: 'application/json' });
    }
  }

  /** Parses the body of an object. A `DamagedPartError` becomes a `damaged`. */
  protected parse<T>(path: string, body: Buffer, read: (body: Buffer, where: string) => T): T {
    try {
      return read(body, this.where(path));
    } catch (error) {
      throw error instanceof DamagedPartError ? new StorageError('damaged', error.message) : error;
    }
  }

  protected where(path: string): string {
    return `${CONTROL_CONTAINER}/${path} in ${this.vault.alias}`;
  }

  protected damaged(path: string, how: string): StorageError {
    return new StorageError('damaged', `${this.where(path)} is damaged: ${how}`);
  }
}
