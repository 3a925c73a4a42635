import { BLOBS_ONLY, MERGES_ENTITIES, type RestoreRequest, selectionOfBlobs } from '#api/restore-request.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { isLiteral } from '#domain/blobs/container-pattern.ts';
import { expand, isInjective } from '#domain/blobs/container-template.ts';
import { containerProtection, type TargetAccount, tableProtection } from '#domain/restore/protected-target.ts';
import { isSecondary } from '#domain/service-identity.ts';
import { expandTable, isInjectiveTable, isValidTableName } from '#domain/tables/table-name.ts';
import { HttpError, invalid } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';
import { targetOf } from './restore-task.ts';

/** `field` is such as `target.prefix`. */
function refusal(field: string, message: string, hint: string): HttpError {
  return invalid('body', [{ path: field.split('.'), message }], hint);
}

/**
 * Throws if a restore to another place is asked to restore access: those who may read the original need not be allowed
 * to read what is there.
 */
export function checkAccess(request: RestoreRequest, isSamePlace: boolean): void {
  if (!request.restoreAccess) return;
  const { container, prefix, table } = targetOf(request);
  if (isSamePlace && container === '{container}' && prefix === '' && table === '{table}') return;
  throw refusal(
    'restoreAccess',
    'access is restored only at the place that was backed up',
    'Remove "restoreAccess", or "target"',
  );
}

/** Throws unless the configuration has the account. `field` is the field of the request that names it. */
export function checkAccount({ configuration }: Dependencies, account: string, field: string): void {
  if (configuration.accounts.has(account)) return;
  const known = [...configuration.accounts.keys()].join(', ');
  throw new HttpError(
    400,
    'account-unknown',
    `${field}: the configuration has no account ${quoted(account)}`,
    `The accounts are: ${known}. To add one, name it in "accounts" of strongroom.json`,
  );
}

/** Throws unless the configuration has the account and a restore can write to it. */
export function checkTargetAccount(deps: Dependencies, account: string): void {
  checkAccount(deps, account, 'body.target.account');
  if (!isSecondary(deps.blobs(account).endpoint)) return;
  throw refusal(
    'target.account',
    `${account} is the secondary region of an account ("-secondary"), which is read-only`,
    'Set "target.account" to another account; to restore to this one, use its own address, after a failover if its ' +
      'primary region is lost',
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
export function checkContainers(into: TargetPlace, containers: readonly string[], request: RestoreRequest): void {
  if (request.existing === 'merge' && containers.length > 0) {
    throw refusal('existing', MERGES_ENTITIES, 'To restore tables only, name them in "tables"');
  }
  const target = targetOf(request);
  if (containers.length > 1 && !isInjective(target.container, target.prefix)) {
    throw refusal(
      'target',
      `${containers.length} containers would overwrite each other in the same container`,
      'Add {container} to "container", for example "{container}-restored", or to "prefix" with a slash after it',
    );
  }
  checkProtected(
    containers.map((name) => ({ name, target: expand(target.container, name) })),
    (name, container) => containerProtection(container, name, into.account),
    {
      field: 'target',
      what: 'the container ',
      place: into,
      mayLeaveOut: into.isInPlace && request.target.container === undefined && request.target.prefix === undefined,
      named: request.containers,
      hint: 'Restore to another container, for example "{container}-restored"',
    },
  );
}

/** Where a restore writes to. */
export interface TargetPlace {
  alias: string;
  account: TargetAccount;
  /** Whether it is the account that was backed up. */
  isInPlace: boolean;
}

interface Refusal {
  /** The field of the request that names targets, and what they are. */
  field: string;
  what: string;
  place: TargetPlace;
  /** Whether the run itself leaves out what it may not write to, and reports it. */
  mayLeaveOut: boolean;
  /** What the request names, as patterns. */
  named: readonly string[];
  hint: string;
}

/**
 * Throws if a restore may not write to a target. A restore to the original containers and tables leaves such a target
 * out and reports it, unless the request names it or nothing else is left: anyone who may create a container in the
 * source chooses a name, and that name must not keep the others from being restored.
 */
function checkProtected(
  targets: readonly { name: string; target: string }[],
  protection: (name: string, target: string) => string | undefined,
  { field, what, place, mayLeaveOut, named, hint }: Refusal,
): void {
  const refused = targets.flatMap(({ name, target }) => {
    const why = protection(name, target);
    return why === undefined ? [] : [{ name, problem: `${what}"${target}" in ${place.alias} ${why}` }];
  });
  const [first] = refused;
  if (first === undefined) return;
  const isNamed = refused.some(({ name }) => named.some((pattern) => isLiteral(pattern) && isSame(pattern, name)));
  if (!mayLeaveOut || isNamed || refused.length === targets.length) throw refusal(field, first.problem, hint);
}

/** Names of tables are case-insensitive, and those of containers have no capitals. */
function isSame(pattern: string, name: string): boolean {
  return pattern.toLowerCase() === name.toLowerCase();
}

/** Throws if tables cannot be restored to the target. */
export function checkTables(into: TargetPlace, tables: readonly string[], request: RestoreRequest): void {
  if (tables.length === 0) return;
  const { table: template } = targetOf(request);
  if (tables.length > 1 && !isInjectiveTable(template)) {
    const problem = `${tables.length} tables would overwrite each other in the same table`;
    throw refusal('target.table', problem, 'Add {table}, for example "{table}Restored"');
  }
  const targets = tables.map((name) => ({ name, target: expandTable(template, name) }));
  const wrong = targets.find(({ target }) => !isValidTableName(target));
  if (wrong !== undefined) {
    const hint = 'Choose a template that makes a name of 3 to 63 letters and digits';
    throw refusal('target.table', `"${wrong.target}" is not a table name`, hint);
  }
  checkProtected(targets, (_, table) => tableProtection(table, into.account), {
    field: 'target.table',
    what: '',
    place: into,
    mayLeaveOut: into.isInPlace && request.target.table === undefined,
    named: request.tables,
    hint: 'Restore to another table, for example "{table}Restored"',
  });
}

/**
 * Throws if a request that only names blobs, or only tables, would also restore the others where they came from. A
 * restore keeps nothing of the entities that it replaces, and the author of the request may not know that the job has
 * tables.
 */
export function checkBothMeant(
  request: RestoreRequest,
  { containers, tables, isInPlace }: Record<'containers' | 'tables', readonly string[]> & { isInPlace: boolean },
): void {
  if (tables.length === 0) return;
  const theTables = tables.length === 1 ? `table "${tables[0]}"` : `${tables.length} tables, such as "${tables[0]}",`;
  const field = selectionOfBlobs(request);
  if (field !== undefined) {
    if (containers.length === 0) throw refusal(field, BLOBS_ONLY, 'This request restores no container');
    if (request.tables.length === 0) {
      throw refusal(
        field,
        `${BLOBS_ONLY}; this request would also restore ${theTables} in full`,
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
    'target',
    `it sets the target of ${sets.containers ? 'containers' : 'tables'}, and ${rest} would be restored ` +
      'over the original',
    `Add ${missing}; or name what to restore in "containers" or "tables"`,
  );
}
