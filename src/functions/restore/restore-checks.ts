import type { Dependencies } from '#app/dependencies.ts';
import { isLiteral, matches } from '#domain/blobs/container-pattern.ts';
import { destinationPattern, expand, isInjective } from '#domain/blobs/container-template.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import {
  CATALOG_TABLE,
  expandTable,
  isInjectiveTable,
  isSameTable,
  isValidTableName,
} from '#domain/tables/table-name.ts';
import { HttpError } from '../http/http-error.ts';
import type { ChosenPoint } from '../restore-points/choose-restore-point.ts';
import { BLOBS_ONLY, MERGES_ENTITIES, type RestoreRequest, selectsBlobs, targetOf } from './restore-request.ts';

function refusal(problem: string, hint?: string): HttpError {
  return new HttpError(400, 'body-invalid', `body${problem}`, hint);
}

/** Throws unless the configuration has the account. `field` is the field of the request that names it. */
export function checkAccount({ configuration }: Dependencies, account: string, field: string): void {
  if (configuration.accounts.has(account)) return;
  const known = [...configuration.accounts.keys()].join(', ');
  throw new HttpError(
    400,
    'account-unknown',
    `${field}: the configuration has no account "${account}"`,
    `The accounts are: ${known}. To add one, name it in "accounts" of strongroom.json`,
  );
}

/**
 * Throws if the request names only patterns and none matches: a run that restores nothing would succeed. The run
 * reports full names that the restore point does not have.
 */
export function checkMatch(point: string, { containers, tables }: RestoreRequest, tasks: readonly string[]): void {
  const named = [...containers, ...tables];
  if (tasks.length > 0 || named.length === 0 || named.some(isLiteral)) return;
  throw new HttpError(
    404,
    'container-not-held',
    `Restore point ${point} has nothing that matches ${named.map((pattern) => `"${pattern}"`).join(' or ')}`,
    `GET /api/restore-points/${point} lists its containers and tables`,
  );
}

/** Throws if containers cannot be restored as requested, or not to that target. */
export function checkContainers(
  deps: Dependencies,
  account: string,
  point: ChosenPoint,
  containers: readonly string[],
  request: RestoreRequest,
): void {
  if (request.existing === 'merge' && containers.length > 0) {
    throw refusal(`.existing: ${MERGES_ENTITIES}`, 'To restore tables only, name them in "tables"');
  }
  const target = targetOf(request);
  if (containers.length > 1 && !isInjective(target.container, target.prefix)) {
    throw refusal(
      `.target: ${containers.length} containers would overwrite each other in the same place`,
      'Add {container} to "container", for example "{container}-restored", or to "prefix" with a slash after it',
    );
  }
  const backup = containers
    .map((name) => expand(target.container, name))
    .find((name) => holdsBackup(deps, point, account, name));
  if (backup !== undefined) {
    throw refusal(
      `.target: the container "${backup}" in ${account} holds a backup, and a restore would change it`,
      'Restore to another container, for example "{container}-restored"',
    );
  }
}

/** Whether a container holds a backup: of this restore point, or by the configuration of any job. */
function holdsBackup(deps: Dependencies, { summary, vault }: ChosenPoint, account: string, container: string): boolean {
  const { endpoint } = deps.blobs(account);
  const isVault = (alias: string) => deps.blobs(alias).endpoint === endpoint;
  if (isVault(vault) && summary.parts.some(({ destination }) => destination === container)) return true;
  return deps.configuration.jobs.some(
    ({ source, destination }) =>
      isVault(destination.account) &&
      (container === CONTROL_CONTAINER ||
        source.containers.some((pattern) => matches(destinationPattern(destination.container, pattern), container))),
  );
}

/** Throws if tables cannot be restored to the target. */
export function checkTables(
  deps: Dependencies,
  account: string,
  tables: readonly string[],
  request: RestoreRequest,
): void {
  if (tables.length === 0) return;
  const { table: template } = targetOf(request);
  const elsewhere = 'Restore to another table, for example "{table}Restored"';
  if (tables.length > 1 && !isInjectiveTable(template)) {
    const problem = `${tables.length} tables would overwrite each other in the same table`;
    throw refusal(`.target.table: ${problem}`, 'Add {table}, for example "{table}Restored"');
  }
  const { endpoint } = deps.tables(account);
  const { jobs } = deps.configuration;
  const isVault = jobs.some(({ destination }) => deps.tables(destination.account).endpoint === endpoint);
  for (const table of tables) {
    const into = expandTable(template, table);
    if (!isValidTableName(into)) {
      const hint = 'Choose a template that makes a name of 3 to 63 letters and digits';
      throw refusal(`.target.table: "${into}" is not a table name`, hint);
    }
    if (isVault && isSameTable(into, CATALOG_TABLE)) {
      const problem = `"${into}" in ${account} is the list of runs, and a restore would change it`;
      throw refusal(`.target.table: ${problem}`, elsewhere);
    }
  }
}

/**
 * Throws if a request that only names blobs, or only tables, would also restore the others to their original place. A
 * restore keeps nothing of the entities that it replaces, and the author of the request may not know that the job has
 * tables.
 */
export function checkBothMeant(
  request: RestoreRequest,
  { containers, tables, isInPlace }: Record<'containers' | 'tables', readonly string[]> & { isInPlace: boolean },
): void {
  if (tables.length === 0) return;
  const theTables = tables.length === 1 ? `table "${tables[0]}"` : `${tables.length} tables, such as "${tables[0]}",`;
  if (selectsBlobs(request)) {
    if (containers.length === 0) throw refusal(`: ${BLOBS_ONLY}`, 'This request restores no container');
    if (request.tables.length === 0) {
      throw refusal(
        `: ${BLOBS_ONLY}; this request would also restore ${theTables} in full`,
        'Name the containers in "containers", for example ["*"], and the tables, if you want them, in "tables"',
      );
    }
  }
  const { container, prefix, table } = request.target;
  const sets = { containers: container !== undefined || prefix !== undefined, tables: table !== undefined };
  if (!isInPlace || sets.containers === sets.tables || (sets.tables && containers.length === 0)) return;
  const rest = sets.containers ? theTables : `container "${containers[0]}"`;
  const missing = sets.containers
    ? '"table", for example "{table}Restored"'
    : '"container", for example "{container}-restored"';
  throw refusal(
    `.target: it sets the target of ${sets.containers ? 'containers' : 'tables'}, and ${rest} would return to ` +
      'the original place',
    `Add ${missing}; or name what to restore in "containers" or "tables"`,
  );
}
