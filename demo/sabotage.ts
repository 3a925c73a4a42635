import type { BlobServiceClient, BlockBlobClient } from '@azure/storage-blob';
import { bytesOf } from './blob.ts';
import { backupContainerOf } from './job.ts';
import type { Ledger, Version } from './ledger.ts';

/** Damages seven copies, each in another way, to show that the comparison notices. Returns the damage in words. */
export async function sabotage(vault: BlobServiceClient, ledger: Ledger): Promise<string[]> {
  const copies = ledger.entries
    .filter(({ container, name, current, backedUp }) => {
      const last = backedUp.at(-1);
      return container !== 'docs' && !name.startsWith('raw/') && last?.kind === 'block' && last.size > 0 && !!current;
    })
    .map(({ backedUp }) => backedUp.at(-1)!);
  const take = (isFit: (copy: Version) => boolean = () => true): Version => {
    const [copy] = copies.splice(copies.findIndex(isFit), 1);
    return copy!;
  };
  const client = ({ container, name }: Version) =>
    vault.getContainerClient(backupContainerOf(container)).getBlockBlobClient(name);
  const done: string[] = [];

  const flipped = take();
  const { blobHTTPHeaders, metadata, tags, tier } = await stateOf(client(flipped), flipped);
  const bytes = bytesOf(flipped);
  bytes[bytes.length >> 1]! ^= 1;
  // A committed block keeps the MD5 that the blob had.
  await client(flipped).stageBlock('AAAA', bytes, bytes.length);
  await client(flipped).commitBlockList(['AAAA'], { blobHTTPHeaders, metadata, tags, ...(tier && { tier }) });
  done.push(`one bit flipped: ${backupContainerOf(flipped.container)}/${flipped.name}`);

  const untagged = take(({ tags }) => Object.keys(tags).length > 1);
  const [dropped] = Object.keys(untagged.tags);
  await client(untagged).setTags(Object.fromEntries(Object.entries(untagged.tags).filter(([key]) => key !== dropped)));
  done.push(`a tag removed: ${backupContainerOf(untagged.container)}/${untagged.name}`);

  const relabeled = take();
  const before = await stateOf(client(relabeled), relabeled);
  await client(relabeled).setHTTPHeaders({ ...before.blobHTTPHeaders, blobContentLanguage: 'tlh' });
  done.push(`a header changed: ${backupContainerOf(relabeled.container)}/${relabeled.name}`);

  const renamed = take(({ metadata }) => Object.keys(metadata).length > 0);
  await client(renamed).setMetadata({ ...(await stateOf(client(renamed), renamed)).metadata, stray: 'value' });
  done.push(`metadata added: ${backupContainerOf(renamed.container)}/${renamed.name}`);

  const warmed = take(({ tier }) => tier === 'Cold');
  await client(warmed).setAccessTier('Hot');
  done.push(`a tier changed: ${backupContainerOf(warmed.container)}/${warmed.name}`);

  const lost = take();
  await client(lost).delete({ deleteSnapshots: 'include' });
  done.push(`a copy deleted: ${backupContainerOf(lost.container)}/${lost.name}`);

  const forgotten = ledger.entries.find(({ backedUp }) => backedUp.length > 1)!;
  await client(forgotten.backedUp[0]!).delete({ deleteSnapshots: 'only' });
  done.push(`a snapshot deleted: ${backupContainerOf(forgotten.container)}/${forgotten.name}`);
  return done;
}

async function stateOf(client: BlockBlobClient, spec: Version) {
  const [properties, { tags }] = await Promise.all([client.getProperties(), client.getTags()]);
  const { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, contentMD5 } = properties;
  return {
    blobHTTPHeaders: {
      ...(contentType && { blobContentType: contentType }),
      ...(contentEncoding && { blobContentEncoding: contentEncoding }),
      ...(contentLanguage && { blobContentLanguage: contentLanguage }),
      ...(contentDisposition && { blobContentDisposition: contentDisposition }),
      ...(cacheControl && { blobCacheControl: cacheControl }),
      ...(contentMD5 && { blobContentMD5: contentMD5 }),
    },
    // A request for one blob returns keys in lower case, so the keys come from the source's record.
    metadata: { ...onlyRecord(properties.metadata), ...spec.metadata },
    tags,
    tier: properties.accessTierInferred ? undefined : properties.accessTier,
  };
}

function onlyRecord(metadata: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key.startsWith('strongroom_')));
}
