import type { BlobServiceClient } from '@azure/storage-blob';
import { Random } from '../test/support/builders/random.ts';
import { AWKWARD_NAMES } from './awkward-names.ts';
import type { BlobSpec } from './blob.ts';
import { bytesOf, md5Of } from './blob.ts';
import { blobOf, type Draft } from './collection.ts';
import { atOnce, fill, httpHeaders, write } from './fill.ts';
import { isInJob } from './job.ts';
import type { Entry, Ledger, Version } from './ledger.ts';

/** A kind of change, in words, and the number of blobs. */
export type Changed = { what: string; blobs: number }[];

/** A day of changes to the source: a few of every kind. The same seed gives the same changes. */
export async function change(account: BlobServiceClient, ledger: Ledger, seed: number): Promise<Changed> {
  const random = new Random(seed + 1);
  const changed: Changed = [];
  const sorted = ledger.entries.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  /** Blobs that are still unchanged; each is changed in one way only. */
  const untouched = sorted.filter(({ container, name, current }) => isOrdinary(container, name, current));
  const choose = (count: number, isFit: (blob: Version) => boolean): Version[] => {
    const fit = untouched.filter(({ current }) => isFit(current!));
    const chosen = new Set(random.take(fit, count));
    untouched.splice(0, untouched.length, ...untouched.filter((entry) => !chosen.has(entry)));
    return [...chosen].map(({ current }) => current!);
  };
  const apply = async (what: string, blobs: Version[], work: (blob: Version) => Promise<void>) => {
    await atOnce(blobs, work);
    changed.push({ what, blobs: blobs.length });
  };
  const client = ({ container, name }: BlobSpec) => account.getContainerClient(container).getBlobClient(name);
  const rewrite = async (blob: BlobSpec, size: number) => {
    const next = rewritten(blob, size);
    await write(account, next);
    ledger.wrote(next);
  };

  const added = newBlobs(seed);
  await fill(account, ['tenant-gamma'], added, ledger);
  changed.push({ what: 'new blobs, 20 of them in a new container', blobs: added.length });

  const plain = ({ kind }: BlobSpec) => kind === 'block';
  await apply('content changed', choose(80, plain), (blob) => rewrite(blob, random.between(1, 30_000)));
  await apply('new content of the same size', choose(30, plain), (blob) => rewrite(blob, blob.size));
  const awkward = sorted.filter(({ container, name }) => container === 'docs' && AWKWARD_NAMES.includes(name));
  await apply(
    'new content under awkward names',
    awkward.map(({ current }) => current!),
    (blob) => rewrite(blob, blob.size),
  );
  await apply(
    'append blobs written again',
    choose(10, ({ kind }) => kind === 'append'),
    (blob) => rewrite(blob, random.between(1_000, 20_000)),
  );
  await apply(
    'page blobs written again',
    choose(5, ({ kind, size }) => kind === 'page' && size < 2 ** 21),
    (blob) => rewrite(blob, blob.size),
  );
  await apply(
    'new metadata, nothing else',
    choose(25, () => true),
    async (blob) => {
      const metadata = { ...blob.metadata, Reviewed_By: 'Night shift' };
      await client(blob).setMetadata(metadata);
      ledger.wrote({ ...blob, metadata });
    },
  );
  await apply(
    'new content headers, nothing else',
    choose(25, () => true),
    async (blob) => {
      const headers = { ...blob.headers, contentType: 'application/x-changed', cacheControl: 'max-age=60' };
      await client(blob).setHTTPHeaders(httpHeaders(headers));
      ledger.wrote({ ...blob, headers });
    },
  );
  await apply(
    'tags changed, added or removed, nothing else',
    choose(24, () => true),
    async (blob) => {
      const tags = Object.keys(blob.tags).length > 0 && random.next() < 0.5 ? {} : { ...blob.tags, touched: 'today' };
      await client(blob).setTags(tags);
      ledger.retagged({ ...blob, tags });
    },
  );
  await apply('another tier, nothing else', choose(15, plain), async (blob) => {
    const tier = blob.tier === 'Cool' ? 'Cold' : 'Cool';
    await client(blob).setAccessTier(tier);
    ledger.retagged({ ...blob, tier });
  });
  await apply('archived after their backup', choose(2, plain), async (blob) => {
    await client(blob).setAccessTier('Archive');
    ledger.retagged({ ...blob, tier: 'Archive' });
  });
  await apply(
    'deleted',
    choose(40, () => true),
    async (blob) => {
      await client(blob).delete();
      ledger.deleted(blob.container, blob.name);
    },
  );
  return changed;
}

const key = ({ container, name }: Entry) => `${container}/${name}`;

/** Blobs that stay as they are: those outside the job, the special ones, and the few large ones. */
function isOrdinary(container: string, name: string, current: Version | undefined): boolean {
  return (
    current !== undefined &&
    isInJob(container, name) &&
    container !== 'inbox' &&
    current.tier !== 'Archive' &&
    current.size > 0 &&
    current.size < 2 ** 21 &&
    !name.startsWith('special/') &&
    !AWKWARD_NAMES.includes(name)
  );
}

function rewritten(blob: BlobSpec, size: number): BlobSpec {
  const next = { ...blob, size, content: `${blob.content} again` };
  if (blob.headers.contentMd5 === undefined) return next;
  return { ...next, headers: { ...blob.headers, contentMd5: md5Of(bytesOf(next)) } };
}

function newBlobs(seed: number): BlobSpec[] {
  const random = new Random(seed + 2);
  const drafts: Draft[] = [
    ...['images', 'docs', 'invoices', 'tenant-alpha'].flatMap((container) =>
      Array.from({ length: 12 }, (_, index) => ({
        container,
        name: `new today/${index} of 12.bin`,
        size: random.between(0, 20_000),
        metadata: { Added: 'today' },
      })),
    ),
    ...Array.from({ length: 20 }, (_, index) => ({
      container: 'tenant-gamma',
      name: `users/${index}.json`,
      size: random.between(100, 2_000),
      headers: { contentType: 'application/json' },
      tags: { tenant: 'gamma' },
    })),
    { container: 'logs', name: 'new.log', size: 3_000, kind: 'append' },
    { container: 'disks', name: 'new.vhd', size: 65_536, kind: 'page' },
  ];
  return drafts.map((draft) => blobOf(draft, `${seed}, new`));
}
