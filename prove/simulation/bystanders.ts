import { createHash } from 'node:crypto';
import type { Random } from '../../test/support/builders/random.ts';
import type { MemoryAccount, MemoryBlob } from '../memory/memory-account.ts';
import type { Witness } from './witness.ts';
import type { World } from './world.ts';

const HUGE = 300 * 1024 * 1024;

/** The owner of the source: writes, deletes, tags and moves blobs between tiers, at any time. */
export class Owner {
  readonly #random: Random;
  readonly #world: World;
  readonly #source: MemoryAccount;
  readonly #witness: Witness;
  #favorite: { container: string; name: string } | undefined;
  #written = 0;

  constructor(random: Random, world: World, source: MemoryAccount, witness: Witness) {
    this.#random = random;
    this.#world = world;
    this.#source = source;
    this.#witness = witness;
  }

  /** Fills the source. */
  fill(): void {
    as(this.#witness, 'owner', () => {
      for (const container of this.#world.containers) this.#source.createContainer(container);
      for (let i = 0; i < this.#world.blobs; i++) this.#write(this.#anyPlace());
      if (this.#world.oddities) {
        const container = this.#random.pick(this.#world.containers);
        this.#source.write(container, { name: 'folder', isDirectory: true });
        this.#source.write(container, { name: 'a/../b', body: Buffer.from('unreachable') });
      }
    });
  }

  /** Makes one edit, and returns it in words. */
  act(): string {
    return as(this.#witness, 'owner', () => this.#act());
  }

  #act(): string {
    const random = this.#random;
    // One blob is written more often than the others, so it changes at every step of its copy.
    this.#favorite ??= this.#anyPlace();
    const place = random.chance(0.4) ? this.#favorite : this.#anyPlace();
    const there = this.#source.blob(place.container, place.name);
    const about = `${place.container}/${place.name}`;
    if (!there) {
      this.#write(place);
      return `the owner wrote ${about}`;
    }
    const what = random.below(10);
    if (what < 4) {
      this.#write(place);
      return `the owner wrote ${about} again`;
    }
    if (what === 4) {
      this.#source.remove(place.container, place.name);
      if (random.chance(0.6)) return `the owner deleted ${about}`;
      this.#write(place);
      const { type } = this.#source.blob(place.container, place.name)!;
      return `the owner deleted ${about} and made it again as ${type}`;
    }
    if (what === 5) {
      this.#source.write(place.container, { ...there, metadata: this.#metadata(there.type) });
      return `the owner changed the metadata of ${about}`;
    }
    if (what < 8) {
      this.#source.alter(place.container, place.name, { tags: this.#tags() }, 'SetBlobTags');
      return `the owner tagged ${about}`;
    }
    if (there.type !== 'block') return `the owner looked at ${about}`;
    const tier = random.pick(['Hot', 'Cool', 'Cold', 'Archive']);
    this.#source.alter(place.container, place.name, { tier, tierInferred: false }, 'SetBlobTier');
    return `the owner moved ${about} to ${tier}`;
  }

  #anyPlace(): { container: string; name: string } {
    return { container: this.#random.pick(this.#world.containers), name: this.#random.pick(this.#world.names) };
  }

  #write({ container, name }: { container: string; name: string }): void {
    const random = this.#random;
    // Many have one length: the size must not show the edit.
    const body = Buffer.from(random.chance(0.1) ? '' : `version ${String(this.#written++).padStart(5, '0')}`);
    const type = this.#source.blob(container, name)?.type ?? this.#anyType();
    const md5 = createHash('md5').update(body).digest('base64');
    const set = type === 'block' && random.chance(0.3);
    this.#source.write(container, {
      name,
      type,
      body,
      size: type === 'block' && body.length > 0 && random.chance(0.08) ? HUGE : body.length,
      headers: { contentType: random.pick(['text/plain', 'image/png']), ...(type === 'block' && { contentMd5: md5 }) },
      metadata: this.#metadata(type),
      tags: random.chance(0.2) ? this.#tags() : {},
      ...(set && { tier: random.pick(['Hot', 'Cool', 'Cold']), tierInferred: false }),
    });
  }

  #anyType(): MemoryBlob['type'] {
    return this.#random.chance(0.85) ? 'block' : this.#random.pick(['page', 'append'] as const);
  }

  /** A blob without a record is compared by size and time alone, and clocks that differ too much mislead that. */
  #metadata(type: MemoryBlob['type']): Record<string, string> {
    const { oddities, sourceClock, vaultClock } = this.#world;
    const isComparable = Math.abs(sourceClock - vaultClock) < 10 * 60_000;
    if (type === 'block' && oddities && isComparable && this.#random.chance(0.2)) return { Owner: 'Zoë' };
    const forged = { strongroom_etag: 'forged', strongroom_modified: 'forged', Strongroom_Run: 'forged' };
    return this.#random.pick([{}, { Owner: 'x' }, { Owner: 'y', ...forged }, { Owner: 'Zoë', ...forged }]);
  }

  #tags(): Record<string, string> {
    return this.#random.pick([{}, { kind: '1' }, { kind: '2', 'of all': 'b' }]);
  }
}

/** A stranger in the vault: writes, leases, copies, and deletes. */
export class Stranger {
  readonly #random: Random;
  readonly #vault: MemoryAccount;
  readonly #witness: Witness;
  #leased: { container: string; name: string }[] = [];
  /** Blobs that the stranger changes again and again. */
  #favorite: string | undefined;
  #strange: { container: string; name: string }[] = [];
  #count = 0;

  constructor(random: Random, vault: MemoryAccount, witness: Witness) {
    this.#random = random;
    this.#vault = vault;
    this.#witness = witness;
  }

  /** Whether an earlier deed is still in the way of the app. */
  get isInTheWay(): boolean {
    return this.#leased.length + this.#strange.length > 0;
  }

  /** Does one deed, and returns it in words; undefined if nothing changed. */
  act(destinations: ReadonlySet<string>): string | undefined {
    const blobs = [...this.#vault.blobs()].filter(({ container }) => destinations.has(container));
    if (blobs.length === 0) return undefined;
    const favorite = blobs.find(({ blob }) => blob.name === this.#favorite);
    const { container, blob } = favorite && this.#random.chance(0.5) ? favorite : this.#random.pick(blobs);
    this.#favorite ??= blob.name;
    return as(this.#witness, 'stranger', () => this.#act(container, blob));
  }

  #act(container: string, blob: MemoryBlob): string {
    const about = `${container}/${blob.name}`;
    const { name } = blob;
    const pending = blob.copy?.status === 'pending';
    switch (this.#random.below(7)) {
      case 0: {
        if (pending) break;
        const body = Buffer.from(`a stranger's ${this.#count++}`);
        const headers = { contentMd5: body.toString('base64') };
        this.#vault.write(container, { name, type: blob.type, body, headers }, 'PutBlob');
        return `a stranger wrote over ${about}`;
      }
      case 1:
        this.#vault.remove(container, name);
        return `a stranger deleted ${about}`;
      case 2:
        if (pending) break;
        this.#vault.alter(container, name, { leased: true }, 'LeaseBlob');
        this.#leased.push({ container, name });
        return `a stranger leased ${about}`;
      case 3: {
        // A copy that never ends.
        const copy = { id: `stranger-${this.#count++}`, status: 'pending' as const };
        this.#vault.write(container, { ...blob, body: Buffer.alloc(0), size: 0, metadata: {}, copy }, 'CopyBlob');
        return `a stranger began a copy onto ${about}`;
      }
      case 4:
        if (pending) break;
        this.#vault.write(container, { ...blob, copy: undefined }, 'SetBlobProperties');
        return `a stranger set properties of ${about}, whose copy state is gone`;
      case 5:
        if (pending || blob.type !== 'block') break;
        this.#vault.alter(container, name, { tier: 'Cool', tierInferred: false }, 'SetBlobTier');
        return `a lifecycle rule moved ${about} to Cool`;
      case 6:
        if (pending || blob.type !== 'block') break;
        this.#vault.write(container, { name, type: 'append', body: Buffer.from('log') }, 'PutBlob');
        this.#strange.push({ container, name });
        return `a stranger put a blob of another type on ${about}`;
    }
    return `a stranger looked at ${about}`;
  }

  /** Leaves the vault: breaks leases, and deletes blobs of other types. */
  leave(): void {
    as(this.#witness, 'stranger', () => {
      for (const { container, name } of this.#leased) {
        if (this.#vault.blob(container, name)) this.#vault.alter(container, name, { leased: false }, 'BreakLease');
      }
      for (const { container, name } of this.#strange) this.#vault.remove(container, name);
    });
    this.#leased = [];
    this.#strange = [];
  }
}

export function as<T>(witness: Witness, actor: Witness['actor'], work: () => T): T {
  const before = witness.actor;
  witness.actor = actor;
  try {
    return work();
  } finally {
    witness.actor = before;
  }
}
