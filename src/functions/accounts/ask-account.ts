import { CONTROL_CONTAINER, isLiteral, matches } from '#domain/blobs/container-pattern.ts';
import { NOTHING } from '#domain/rights/finding.ts';
import type { Right } from '#domain/rights/right.ts';
import { CHECKS_OBJECT } from '#domain/run/control-paths.ts';
import { CATALOG_TABLE, matchesTable } from '#domain/tables/table-name.ts';
import { type AccountProbe, NO_ETAG } from '#storage/account-probe.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { inTime } from '../http/in-time.ts';
import { type Asker, PATIENCE_MS } from './asker.ts';

/** An account of a source may have any number of containers, and a role may be that of one of them. */
const MOST_PLACES = 20;
/** How long a signature would be valid. None is made. */
const SIGNED_MS = 3_600_000;
/** In a partition of its own: lists of runs do not see it. */
const ROW = { key: { partition: 'check', row: '0' }, text: '{"PartitionKey":"check","RowKey":"0"}' };

/** What a source is asked about. */
export interface Places {
  containers: readonly string[];
  tables: readonly string[];
}

/** Asks for the rights of a source: it lists, reads the properties of a blob, and reads the key of an entity. */
export async function askSource(asker: Asker, probe: AccountProbe, places: Places): Promise<void> {
  await Promise.all([askContainers(asker, probe, places.containers), askTables(asker, probe, places.tables)]);
}

async function askContainers(asker: Asker, { blobs }: AccountProbe, patterns: readonly string[]): Promise<void> {
  if (patterns.length === 0) return;
  const found = patterns.every(isLiteral)
    ? undefined
    : await asker.ask('list-containers', () => blobs.listContainers());
  const names = namesToAsk(patterns, found?.names ?? [], matches);
  if (names.length === 0) nothing(asker, ['list-blobs', 'read-blobs', 'read-tags', 'sign-copies']);
  await Promise.all(
    names.map(async (name, index) => {
      const signs = index === 0 ? askToSign(asker, blobs, name) : undefined;
      const page = await asker.ask('list-blobs', () => blobs.listBlobs(name, { limit: 1 }), name);
      const [blob] = page?.blobs ?? [];
      if (!blob) nothing(asker, ['read-blobs']);
      await Promise.all([
        signs,
        asker.ask('read-tags', () => blobs.listBlobs(name, { limit: 1, tags: true }), name),
        // Its properties need the right that its content needs, whatever its tier and size.
        blob &&
          blobs.canAddress(name, blob.name) &&
          asker.ask('read-blobs', () => blobs.getProperties(name, blob.name)),
      ]);
    }),
  );
}

async function askTables(asker: Asker, { tables }: AccountProbe, patterns: readonly string[]): Promise<void> {
  if (patterns.length === 0) return;
  const found = patterns.every(isLiteral) ? undefined : await asker.ask('list-tables', () => tables.listTables());
  const names = namesToAsk(patterns, found?.names ?? [], matchesTable);
  if (names.length === 0) nothing(asker, ['read-tables']);
  await Promise.all(
    names.map((name) => asker.ask('read-tables', () => tables.readEntities(name, { limit: 1, keysOnly: true }), name)),
  );
}

/** Those that are named, and the first that a pattern matches. */
function namesToAsk(
  patterns: readonly string[],
  found: readonly string[],
  isMatch: (pattern: string, name: string) => boolean,
): string[] {
  const stars = patterns.filter((pattern) => !isLiteral(pattern));
  const first = found.find((name) => stars.some((pattern) => isMatch(pattern, name)));
  return [...new Set([...patterns.filter(isLiteral), ...(first === undefined ? [] : [first])])].slice(0, MOST_PLACES);
}

/**
 * Asks for the rights of a vault. It leaves one small object in the control container, which it creates in a new
 * vault as the first run would, and an empty row in the catalog. Everything else has a condition that nothing meets.
 */
export async function askVault(asker: Asker, probe: AccountProbe, wanted: ReadonlySet<Right>): Promise<void> {
  const { blobs, tables } = probe;
  const list = () => asker.ask('list-blobs', () => blobs.listBlobs(CONTROL_CONTAINER, { limit: 1 }));
  const askBlobs = async () => {
    const [containers, page] = await Promise.all([asker.ask('list-containers', () => blobs.listContainers()), list()]);
    const isThere = page !== undefined || containers?.names.includes(CONTROL_CONTAINER) === true;
    // A new one in the place of one that was deleted would hide that, and keep it from being undeleted.
    if (!isThere && !(await hasNoRuns(probe))) {
      nothing(asker, ['create-containers', 'read-blobs', 'write-blobs', 'write-tags', 'delete-blobs', 'sign-copies']);
      return;
    }
    await asker.ask('create-containers', () => blobs.createContainer(CONTROL_CONTAINER));
    await Promise.all([
      isThere || list(),
      askToWrite(asker, probe, wanted),
      wanted.has('sign-copies') && askToSign(asker, blobs, CONTROL_CONTAINER),
    ]);
  };
  const askCatalog = async () => {
    if (tables.endpoint !== '') {
      await asker.ask('write-catalog', () => tables.writeEntity(CATALOG_TABLE, 'replace', ROW));
    } else asker.note('write-catalog', { is: 'unknown', code: 'catalog-unavailable', detail: '' });
  };
  await Promise.all([askBlobs(), askSoftDelete(asker, probe), askCatalog()]);
}

/** Whether the catalog shows that no run has left anything in the vault. */
async function hasNoRuns({ tables }: AccountProbe): Promise<boolean> {
  if (tables.endpoint === '') return false;
  try {
    const asked = tables.readEntities(CATALOG_TABLE, { limit: 2, keysOnly: true });
    const { entities } = await inTime(PATIENCE_MS, tables.alias, asked);
    return entities.every(({ key }) => key.partition === ROW.key.partition);
  } catch (error) {
    // Of an account without tables, nothing is known.
    return isStorageError(error, 'container-not-found') && error.code.startsWith('Table');
  }
}

async function askToWrite(asker: Asker, probe: AccountProbe, wanted: ReadonlySet<Right>): Promise<void> {
  const { blobs } = probe;
  const body = Buffer.from('{ "written": "by POST /api/checks" }\n');
  const write = (expect: { ifMatch: string } | 'absent') =>
    asker.ask('write-blobs', () =>
      blobs.putObject(CONTROL_CONTAINER, CHECKS_OBJECT, body, { contentType: 'application/json', expect }),
    );
  // To create an object takes less than to replace it, so the second request needs one that is there.
  await write('absent');
  await write({ ifMatch: NO_ETAG });
  await Promise.all([
    asker.ask('read-blobs', () => blobs.getProperties(CONTROL_CONTAINER, CHECKS_OBJECT)),
    wanted.has('write-tags') && asker.ask('write-tags', () => blobs.setTags(CONTROL_CONTAINER, CHECKS_OBJECT, {})),
    askToDelete(asker, probe),
  ]);
}

/** Asks for the rights of an alias that only deletes in a vault. */
export async function askPruner(asker: Asker, probe: AccountProbe): Promise<void> {
  const { blobs } = probe;
  await Promise.all([
    asker.ask('list-blobs', () => blobs.listBlobs(CONTROL_CONTAINER, { limit: 1 })),
    asker.ask('read-blobs', () => blobs.getProperties(CONTROL_CONTAINER, CHECKS_OBJECT)),
    askToDelete(asker, probe),
  ]);
}

async function askToDelete(asker: Asker, probe: AccountProbe): Promise<void> {
  await asker.ask('delete-blobs', () => probe.deleteNothing(CONTROL_CONTAINER, CHECKS_OBJECT));
}

async function askToSign(asker: Asker, blobs: AccountProbe['blobs'], container: string): Promise<void> {
  await asker.ask('sign-copies', () => blobs.readAccess(container, new Date(Date.now() + SIGNED_MS)));
}

async function askSoftDelete(asker: Asker, probe: AccountProbe): Promise<void> {
  const days = await asker.ask('soft-delete', async () => ({ isOn: (await probe.softDeleteDays()) !== undefined }));
  if (days && !days.isOn) asker.note('soft-delete', { is: 'off' });
}

function nothing(asker: Asker, rights: readonly Right[]): void {
  for (const right of rights) asker.note(right, { is: 'unknown', code: NOTHING, detail: '' });
}
