import { createHash } from 'node:crypto';
import type { ContainerProperties } from '#domain/run/container-properties.ts';
import type { Random } from '../../test/support/builders/random.ts';
import type { MemoryAccount, MemoryBlob } from '../memory/memory-account.ts';
import type { LifeWorld } from './world.ts';

/** The owner of the source, in weeks of everyday work and a few disasters. */
export class Owner {
  readonly #random: Random;
  readonly #world: LifeWorld;
  readonly #source: MemoryAccount;
  /** The type that a name has until it is made again as another one. */
  readonly #types = new Map<string, MemoryBlob['type']>();
  #written = 0;

  constructor(random: Random, world: LifeWorld, source: MemoryAccount) {
    this.#random = random;
    this.#world = world;
    this.#source = source;
  }

  fill(): void {
    for (const container of this.#world.containers) this.#make(container);
    for (let i = 0; i < this.#world.blobs; i++) this.#write(this.#anyPlace());
  }

  /** Makes one edit, and returns it in words. */
  edit(): string {
    const random = this.#random;
    const place = this.#anyPlace();
    const { container, name } = place;
    const about = `${container}/${name}`;
    this.#make(container);
    const there = this.#source.blob(container, name);
    // The service refuses writes to a blob with a pending copy.
    if (there?.copy?.status === 'pending') return `the owner waited for ${about}`;
    const what = random.below(12);
    if (!there || what < 4) {
      this.#write(place);
      return `the owner wrote ${about}`;
    }
    if (what < 7) {
      this.#source.remove(container, name);
      if (what < 6) return `the owner deleted ${about}`;
      this.#types.delete(name.replace(/^(?:was\/)+/, ''));
      this.#write(place);
      return `the owner deleted ${about} and created it again as ${this.#typeOf(name)}`;
    }
    if (what === 7) {
      this.#source.write(container, { ...there, metadata: this.#metadata(there.type) });
      return `the owner changed the metadata of ${about}`;
    }
    if (what < 10 || there.type !== 'block') {
      this.#source.alter(container, name, { tags: this.#tags() }, 'SetBlobTags');
      return `the owner tagged ${about}`;
    }
    const tier = random.pick(this.#world.archives ? ['Hot', 'Cool', 'Archive'] : ['Hot', 'Cool', 'Cold']);
    this.#source.alter(container, name, { tier, tierInferred: false }, 'SetBlobTier');
    return `the owner moved ${about} to ${tier}`;
  }

  /** Brings everything back from tier Archive, where no run can read it. */
  rehydrate(): void {
    for (const { container, blob } of this.#source.blobs()) {
      if (blob.tier === 'Archive') {
        this.#source.alter(container, blob.name, { tier: 'Hot', tierInferred: false }, 'SetBlobTier');
      }
    }
  }

  /** Overwrites the blob that has this version now. */
  rewrite(etag: string): void {
    const found = [...this.#source.blobs()].find(({ blob }) => blob.etag === etag);
    if (found && found.blob.copy?.status !== 'pending')
      this.#write({ container: found.container, name: found.blob.name });
  }

  /** A disaster: changes or deletes most of the source. */
  disaster(): string {
    const container = this.#random.pick(this.#world.containers);
    const blobs = [...this.#source.blobs()].filter((each) => each.container === container).map(({ blob }) => blob);
    const names = blobs.filter(({ copy }) => copy?.status !== 'pending').map(({ name }) => name);
    if (this.#random.chance(0.3)) {
      this.#make(container);
      this.#source.deleteContainer(container);
      return `the owner lost ${container}`;
    }
    if (this.#random.chance(0.3)) {
      for (const name of names) this.#source.remove(container, name);
      return `the owner emptied ${container}`;
    }
    for (const name of names) this.#write({ container, name });
    return `an attacker encrypted ${container}`;
  }

  /** Writes blobs into the target of a restore. */
  occupy(target: MemoryAccount, container: string): void {
    target.createContainer(container);
    for (const name of this.#random.shuffled(this.#world.names).slice(0, 3)) {
      const type = this.#typeOf(name);
      const body = Buffer.from(`in the way ${this.#written++}`);
      target.write(container, { name, type, body, headers: md5Of(body), tags: this.#tags() });
    }
  }

  #make(container: string): void {
    if (this.#source.createContainer(container) === 'created')
      this.#source.setProperties(container, natureOf(container));
  }

  #anyPlace(): { container: string; name: string } {
    return { container: this.#random.pick(this.#world.containers), name: this.#random.pick(this.#world.names) };
  }

  #write({ container, name }: { container: string; name: string }): void {
    const random = this.#random;
    const body = Buffer.from(random.chance(0.08) ? '' : `version ${String(this.#written++).padStart(5, '0')}`);
    // Another writer may have chosen the name, and with it the type.
    const type = this.#source.blob(container, name)?.type ?? this.#typeOf(name);
    const set = type === 'block' && random.chance(0.3);
    this.#source.write(container, {
      name,
      type,
      body,
      headers: { contentType: random.pick(['text/plain', 'image/png']), ...(type === 'block' && md5Of(body)) },
      metadata: this.#metadata(type),
      tags: random.chance(0.2) ? this.#tags() : {},
      ...(set && { tier: random.pick(['Hot', 'Cool', 'Cold']), tierInferred: false }),
    });
  }

  /** The same names in every container, as restores copy from one to another. */
  #typeOf(place: string): MemoryBlob['type'] {
    const name = place.replace(/^(?:was\/)+/, '');
    const type =
      this.#types.get(name) ?? (this.#random.chance(0.85) ? 'block' : this.#random.pick(['page', 'append'] as const));
    this.#types.set(name, type);
    return type;
  }

  #metadata(type: MemoryBlob['type']): Record<string, string> {
    if (type === 'block' && this.#world.oddities && this.#random.chance(0.2)) return { Owner: 'Zoë' };
    return this.#random.pick([{}, {}, { Owner: 'x' }, { Owner: 'y', strongroom_etag: 'forged' }]);
  }

  #tags(): Record<string, string> {
    return this.#random.pick([{}, { kind: '1' }, { kind: '2', 'of all': 'b' }]);
  }
}

/** What a container of the source always is, apart from its blobs. */
export function natureOf(container: string): ContainerProperties {
  return container === 'data'
    ? { metadata: { Owner: 'shop' }, publicAccess: 'blob', policies: [{ id: 'partner', permissions: 'r' }] }
    : { metadata: { ofLogs: 'yes' } };
}

function md5Of(body: Buffer): { contentMd5: string } {
  return { contentMd5: createHash('md5').update(body).digest('base64') };
}
