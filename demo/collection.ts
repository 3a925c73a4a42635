import { Random } from '../test/support/builders/random.ts';
import { AWKWARD_NAMES } from './awkward-names.ts';
import { type BlobSpec, bytesOf, type Headers, md5Of } from './blob.ts';

const MIB = 2 ** 20;

/** Every container of the source. `outbox` stays empty; the job does not name `scratch`. */
export const CONTAINERS = [
  'images',
  'docs',
  'invoices',
  'tenant-alpha',
  'tenant-beta',
  'disks',
  'logs',
  'inbox',
  'outbox',
  'scratch',
] as const;

export type Draft = Pick<BlobSpec, 'container' | 'name' | 'size'> &
  Partial<Pick<BlobSpec, 'kind' | 'metadata' | 'tags' | 'tier'>> & { headers?: Partial<Headers>; md5?: boolean };

/** Fills in the rest of a draft. Only a blob that takes several requests to write can lack an MD5. */
export function blobOf(draft: Draft, seed: string): BlobSpec {
  const { container, name, size, kind = 'block', metadata = {}, tags = {}, tier, headers = {}, md5 = true } = draft;
  const content = `${seed}:${container}/${name}`;
  const contentMd5 = md5 ? { contentMd5: md5Of(bytesOf({ kind, size, content })) } : {};
  return {
    ...{ container, name, kind, size, content, metadata, tags },
    headers: { contentType: 'application/octet-stream', ...contentMd5, ...headers },
    ...(tier !== undefined && { tier }),
  };
}

/** The source account before the first backup. The same seed gives the same blobs. */
export function collection(seed: number): BlobSpec[] {
  const random = new Random(seed);
  const drafts = [
    ...images(random),
    ...docs(random),
    ...invoices(random),
    ...tenants(random),
    ...logs(random),
    ...disks(random),
    ...large(),
    ...awkward(random),
    ...special(),
    ...leftOut(random),
  ];
  return drafts.map((draft) => blobOf(draft, String(seed)));
}

const numbered = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const pad = (value: number, width: number) => String(value).padStart(width, '0');

function images(random: Random): Draft[] {
  return numbered(1_100, (index) => ({
    container: 'images',
    name: `2026/${pad(1 + (index % 12), 2)}/${random.pick(['coast', 'mountains', 'city', 'garden'])}/IMG_${pad(index, 4)}.jpg`,
    size: random.between(2_000, 40_000),
    headers: {
      contentType: random.pick(['image/jpeg', 'image/png', 'image/webp']),
      cacheControl: 'public, max-age=31536000',
    },
    metadata: { Photographer: random.pick(['Ada', 'Grace', 'Edsger']), camera_Model: 'X-T5', ISO: '400' },
    ...(index % 5 === 0 && { tags: { album: `album ${index % 7}`, rating: String(1 + (index % 5)) } }),
    ...(index % 10 === 0 && { tier: 'Cool' as const }),
    ...(index % 25 === 1 && { tier: 'Cold' as const }),
    ...(index % 40 === 2 && { tier: 'Hot' as const }),
  }));
}

function docs(random: Random): Draft[] {
  return numbered(520, (index): Draft => {
    const place = `${random.pick(['handbook', 'minutes', 'contracts', 'drafts/2026'])}/${pad(index, 4)}`;
    const size = random.between(300, 20_000);
    switch (index % 4) {
      case 0:
        return {
          container: 'docs',
          name: `${place}.html.gz`,
          size,
          headers: { contentType: 'text/html; charset=utf-8', contentEncoding: 'gzip', contentLanguage: 'de, en' },
        };
      case 1:
        return {
          container: 'docs',
          name: `${place}.pdf`,
          size,
          headers: {
            contentType: 'application/pdf',
            contentDisposition: `attachment; filename="document ${index}.pdf"; filename*=UTF-8''%E2%82%AC.pdf`,
          },
          metadata: { Author: 'M. Curie', reviewedBy: 'L. Meitner', REVISION: String(index) },
        };
      case 2:
        return { container: 'docs', name: `${place}.md`, size, headers: { contentType: 'text/markdown' } };
      default:
        return {
          container: 'docs',
          name: `${place}.docx`,
          size,
          headers: { contentLanguage: 'fr-CA', cacheControl: 'no-cache' },
          ...(index % 8 === 3 && { tags: { state: 'signed', 'valid until': '2027-01-01' } }),
        };
    }
  });
}

function invoices(random: Random): Draft[] {
  return numbered(600, (index) => ({
    container: 'invoices',
    name: `${2020 + (index % 7)}/customer-${pad(random.between(1, 40), 3)}/invoice-${pad(index, 5)}.xml`,
    size: random.between(400, 4_000),
    headers: { contentType: 'application/xml' },
    metadata: { invoiceNumber: `R-${pad(index, 5)}`, Currency: 'EUR', _internal: 'x=1&y=2; z' },
    tags: { paid: index % 3 === 0 ? 'no' : 'yes', year: String(2020 + (index % 7)) },
  }));
}

function tenants(random: Random): Draft[] {
  return ['tenant-alpha', 'tenant-beta'].flatMap((container) =>
    numbered(250, (index) => ({
      container,
      name: `users/${pad(index % 50, 3)}/export-${pad(index, 4)}.json`,
      size: random.between(100, 9_000),
      headers: { contentType: 'application/json' },
      ...(index % 2 === 0 && { metadata: { Tenant: container, Row_Count: String(index * 7) } }),
    })),
  );
}

function logs(random: Random): Draft[] {
  return numbered(110, (index) => ({
    container: 'logs',
    kind: 'append' as const,
    name: `web/2026-${pad(1 + (index % 12), 2)}-${pad(1 + (index % 28), 2)}/part-${pad(index, 3)}.log`,
    size: random.between(1_000, 60_000),
    headers: { contentType: 'text/plain' },
    metadata: { Host: `web-${index % 4}` },
    ...(index % 4 === 0 && { tags: { keep: 'one year' } }),
  }));
}

function disks(random: Random): Draft[] {
  return numbered(14, (index) => ({
    container: 'disks',
    kind: 'page' as const,
    name: `vm-${pad(index, 2)}/os.vhd`,
    size: 64 * 1024 * random.between(1, 16),
    metadata: { vmName: `vm-${index}` },
    md5: index % 2 === 0,
    ...(index % 3 === 0 && { tags: { role: 'web server' } }),
  }));
}

function large(): Draft[] {
  return [
    {
      container: 'docs',
      name: 'archive/everything-2025.zip',
      size: 40 * MIB,
      headers: { contentType: 'application/zip' },
    },
    {
      container: 'images',
      name: 'raw/panorama-1.tif',
      size: 24 * MIB,
      tier: 'Cool',
      headers: { contentType: 'image/tiff' },
    },
    { container: 'images', name: 'raw/panorama-2.tif', size: 24 * MIB + 1, md5: false },
    { container: 'disks', name: 'database/data.vhd', size: 24 * MIB, kind: 'page' },
  ];
}

function awkward(random: Random): Draft[] {
  return [
    ...AWKWARD_NAMES.map((name) => ({ container: 'docs', name, size: random.between(1, 500) })),
    ...AWKWARD_NAMES.filter((_, index) => index % 3 === 0).map((name) => ({
      container: 'logs',
      kind: 'append' as const,
      name: `awkward/${name}`,
      size: random.between(1, 500),
      tags: { kind: 'awkward' },
    })),
  ];
}

/** Blobs that differ from all others in one way. */
function special(): Draft[] {
  return [
    ...numbered(10, (index) => ({ container: 'docs', name: `empty/${index}.marker`, size: 0 })),
    { container: 'logs', name: 'empty.log', size: 0, kind: 'append' },
    { container: 'disks', name: 'empty.vhd', size: 0, kind: 'page', md5: false },
    // Archived content cannot be read, so it cannot be backed up; the run says so.
    { container: 'docs', name: 'archive/boxes-2019.zip', size: 5_000, tier: 'Archive' },
    // Metadata that has no room beside a record: it is in the restore point, and a restore brings it back.
    { container: 'docs', name: 'special/metadata-full.bin', size: 100, metadata: { filler: 'x'.repeat(8_150) } },
    {
      container: 'docs',
      name: 'special/tags-full.bin',
      size: 100,
      tags: Object.fromEntries(numbered(10, (index) => [`Tag ${index}+-./:=_`, `value ${index} +-./:=_`])),
    },
    { container: 'inbox', name: 'orders.csv', size: 2_000, headers: { contentType: 'text/csv' } },
    ...numbered(7, (index) => ({ container: 'inbox', name: `order-${index}.json`, size: 300 + index })),
  ];
}

/** Blobs that the job does not back up: in a container it does not name, or under names it excludes. */
function leftOut(random: Random): Draft[] {
  return [
    ...numbered(30, (index) => ({ container: 'scratch', name: `build/${index}.o`, size: random.between(100, 2_000) })),
    { container: 'docs', name: 'at the top.tmp', size: 10 },
    { container: 'docs', name: '.tmp', size: 10 },
    ...numbered(12, (index) => ({
      container: random.pick(['images', 'docs', 'tenant-alpha']),
      name: `upload/${index}/part ${index}.tmp`,
      size: 1_000,
    })),
  ];
}
