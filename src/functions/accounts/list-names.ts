import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { StorageError } from '#storage/storage-error.ts';
import { answering, reply } from '../http/answering.ts';
import { readCursor, writeCursor } from '../http/cursor.ts';
import { HttpError } from '../http/http-error.ts';
import { inTime } from '../http/in-time.ts';
import { quoted } from '../http/quoted.ts';
import { SharedAnswers } from '../http/shared-answers.ts';

/** Milliseconds that a caller waits for an account. */
const PATIENCE_MS = 10_000;
/** Pages of the service in one answer, at most: a prefix may match names on none of them. */
const MOST_PAGES = 4;

interface Page {
  names: string[];
  next?: string;
}

/** GET /api/accounts/{alias}/containers */
export function listAccountContainersHandler(deps: Dependencies) {
  const list = namesOf(deps, 'containers', (alias, from, signal) => deps.blobs(alias).listContainers(from, signal));
  return answering(deps, OPERATIONS.listAccountContainers, async ({ params: { alias }, query }) => {
    const { names, next } = await list(alias, query);
    return reply(200, { account: alias, containers: names, next });
  });
}

/** GET /api/accounts/{alias}/tables */
export function listAccountTablesHandler(deps: Dependencies) {
  const list = namesOf(deps, 'tables', async (alias, from, signal) => {
    const account = deps.tables(alias);
    if (account.endpoint !== '') return account.listTables(from, signal);
    throw new StorageError('account-not-found', `${alias}: its settings do not show the address of its tables`);
  });
  return answering(deps, OPERATIONS.listAccountTables, async ({ params: { alias }, query }) => {
    const { names, next } = await list(alias, query);
    return reply(200, { account: alias, tables: names, next });
  });
}

/** Lists names that begin with a prefix, page by page of the service. The case of tables does not count. */
function namesOf(
  deps: Dependencies,
  what: 'containers' | 'tables',
  pageOf: (alias: string, from: string | undefined, signal: AbortSignal) => Promise<Page>,
) {
  const shared = new SharedAnswers<Page>(deps);
  const find = async (alias: string, prefix: string, from: string | undefined): Promise<Page> => {
    const wanted = what === 'tables' ? prefix.toLowerCase() : prefix;
    const fits = (name: string) => (what === 'tables' ? name.toLowerCase() : name).startsWith(wanted);
    // A little later than the caller stops waiting.
    const signal = AbortSignal.timeout(PATIENCE_MS + 1_000);
    let next = from;
    for (let pages = 1; ; pages++) {
      const page = await pageOf(alias, next, signal);
      const names = page.names.filter(fits);
      next = page.next;
      if (names.length > 0 || next === undefined || pages === MOST_PAGES) {
        return { names, ...(next !== undefined && { next }) };
      }
    }
  };
  return async (
    alias: string,
    { prefix = '', cursor }: { prefix?: string | undefined; cursor?: string | undefined },
  ) => {
    checkAlias(deps, alias);
    const question = [what, alias, prefix];
    const from = cursor === undefined ? undefined : readCursor(cursor, question);
    const page = await inTime(
      PATIENCE_MS,
      alias,
      shared.get([...question, from], () => find(alias, prefix, from)),
    );
    return { names: page.names, next: page.next === undefined ? null : writeCursor(page.next, question) };
  };
}

function checkAlias({ configuration }: Dependencies, alias: string): void {
  if (configuration.accounts.has(alias)) return;
  const known = [...configuration.accounts.keys()].join(', ');
  throw new HttpError(
    404,
    'account-unknown',
    `The configuration has no account ${quoted(alias)}`,
    `The accounts are: ${known}. To add one, name it in "accounts" of strongroom.json`,
  );
}
