import { createHash } from 'node:crypto';
import type { Random } from '../../test/support/builders/random.ts';
import type { MemoryAccount, MemoryBlob } from './memory-account.ts';

/** All names and values of a blob's metadata together, in bytes: the service's limit. */
const METADATA_LIMIT = 8 * 1024;
/** More would only make plays long. */
const MOST_JUNK = 60;

/**
 * Someone who may write to the source and nothing else, and who knows the source code. They want the vault to lose
 * what it holds, to overlook a change, or to give back other bytes than those that were backed up.
 */
export class HostileWriter {
  readonly #random: Random;
  readonly #source: MemoryAccount;
  /** Versions that they have seen in listings of the source, by place. */
  readonly #seen = new Map<string, MemoryBlob[]>();
  #written = 0;
  #junk = 0;

  constructor(random: Random, source: MemoryAccount) {
    this.#random = random;
    this.#source = source;
  }

  /** Does one deed, and returns it in words; undefined if there is nothing to attack. */
  act(): string | undefined {
    const blobs = [...this.#source.blobs()].filter(({ blob }) => blob.copy?.status !== 'pending');
    if (blobs.length === 0) return undefined;
    for (const { container, blob } of blobs) this.#remember(container, blob);
    const { container, blob } = this.#random.pick(blobs);
    return `a hostile writer ${this.#act(container, blob)}`;
  }

  #act(container: string, blob: MemoryBlob): string {
    const about = `${container}/${blob.name}`;
    const earlier = this.#random.pick(this.#seen.get(`${container}\n${blob.name}`)!);
    switch (this.#random.below(9)) {
      case 0:
        this.#rewrite(container, blob, { metadata: padded(this.#forgedRecord(earlier)) });
        return `forged a record of ${earlier.etag} on ${about}, and filled up its metadata`;
      case 1:
        this.#rewrite(container, blob, { metadata: { Owner: 'Zoë', ...this.#forgedRecord(earlier) } });
        return `forged a record of ${earlier.etag} on ${about}, beside metadata that cannot be sent`;
      case 2:
        this.#rewrite(container, blob, { metadata: this.#forgedRecord(earlier) });
        return `forged a record of ${earlier.etag} on ${about}`;
      case 3:
        this.#rewrite(container, blob, { metadata: { [this.#random.pick(MARKERS)]: 'true' } });
        return `made ${about} look like a directory`;
      case 4:
        if (blob.type !== 'block') break;
        this.#rewrite(container, blob, { tier: 'Archive', tierInferred: false });
        return `rewrote ${about} into tier Archive`;
      case 5:
        this.#rewrite(container, blob, { headers: { ...earlier.headers, contentMd5: md5Of(earlier.body) } });
        return `rewrote ${about} with the Content-MD5 of ${earlier.etag}`;
      case 6:
        this.#source.write(container, {
          ...blob,
          headers: { ...blob.headers, contentMd5: md5Of(Buffer.from('stale')) },
        });
        return `gave ${about} a Content-MD5 that is not that of its content`;
      case 7: {
        if (this.#junk >= MOST_JUNK) break;
        const junk = this.#random.between(3, 8);
        for (let i = 0; i < junk; i++) this.#addJunk(container);
        return `added ${junk} blobs of junk to ${container}`;
      }
      case 8:
        this.#source.remove(container, blob.name);
        return `deleted ${about}`;
    }
    this.#rewrite(container, blob, {});
    return `rewrote ${about}`;
  }

  /** Of the same length: the size must not show it. */
  #rewrite(container: string, blob: MemoryBlob, change: Partial<MemoryBlob>): void {
    const { name, type, headers, metadata, tags } = blob;
    const body = Buffer.alloc(blob.body.length, `evil ${String(this.#written++).padStart(5, '0')} `);
    this.#source.write(container, { name, type, size: blob.size, body, headers, metadata, tags, ...change });
  }

  #addJunk(container: string): void {
    this.#junk++;
    const name = `junk/${String(this.#written++).padStart(5, '0')}`;
    this.#source.write(container, { name, type: 'block', body: Buffer.from('junk'), headers: {}, metadata: {} });
  }

  #forgedRecord({ etag }: MemoryBlob): Record<string, string> {
    const prefix = this.#random.pick(['strongroom_', 'Strongroom_', 'STRONGROOM_']);
    return {
      [`${prefix}etag`]: etag,
      [`${prefix}modified`]: '2026-01-01T00:00:00.000Z',
      [`${prefix}run`]: this.#random.pick(['x', 'nightly-20260101T000000Z-abcdef']),
      ...(this.#random.chance(0.3) && { [`${prefix}tier`]: 'unsettled' }),
    };
  }

  #remember(container: string, blob: MemoryBlob): void {
    const key = `${container}\n${blob.name}`;
    const known = this.#seen.get(key) ?? [];
    if (!known.some(({ etag }) => etag === blob.etag)) this.#seen.set(key, [...known, blob]);
  }
}

const MARKERS = ['hdi_isfolder', 'Hdi_IsFolder'];

/** The metadata with one more entry, so that they are as large as the service allows. */
function padded(metadata: Record<string, string>): Record<string, string> {
  const used = Object.entries(metadata).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return { ...metadata, pad: 'p'.repeat(METADATA_LIMIT - used - 'pad'.length) };
}

function md5Of(body: Buffer): string {
  return createHash('md5').update(body).digest('base64');
}
