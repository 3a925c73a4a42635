import type { BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import { isNotFound, storageErrorCode } from '../storage/error-code.ts';

/** The container for the host's own records in the app's storage account. */
export class HostContainer {
  readonly #container: ContainerClient;

  constructor(service: BlobServiceClient) {
    this.#container = service.getContainerClient('azure-webjobs-hosts');
  }

  async read(name: string): Promise<string | undefined> {
    try {
      return (await this.#container.getBlobClient(name).downloadToBuffer()).toString();
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  write(name: string, text: string): Promise<void> {
    return this.#upload(name, text, {});
  }

  /** The metadata of a record; undefined if the record does not exist. */
  async metadata(name: string): Promise<Record<string, string> | undefined> {
    try {
      return (await this.#container.getBlobClient(name).getProperties()).metadata ?? {};
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async setMetadata(name: string, metadata: Record<string, string>): Promise<void> {
    await this.#container.getBlobClient(name).setMetadata(metadata);
  }

  /** Creates an empty record. Returns false if it exists. */
  async create(name: string, metadata: Record<string, string>): Promise<boolean> {
    try {
      await this.#upload(name, '', { metadata, conditions: { ifNoneMatch: '*' } });
      return true;
    } catch (error) {
      if (storageErrorCode(error) === 'BlobAlreadyExists') return false;
      throw error;
    }
  }

  async #upload(name: string, text: string, options: object): Promise<void> {
    const blob = this.#container.getBlockBlobClient(name);
    try {
      await blob.upload(text, Buffer.byteLength(text), options);
    } catch (error) {
      if (storageErrorCode(error) !== 'ContainerNotFound') throw error;
      await this.#container.createIfNotExists();
      await blob.upload(text, Buffer.byteLength(text), options);
    }
  }
}
