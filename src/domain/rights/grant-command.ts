import type { Role } from './role.ts';

/** Whom a role is assigned to, as far as it is known. */
export interface Principal {
  objectId?: string;
  /** Of a managed identity or an app. */
  clientId?: string;
  type?: 'ServicePrincipal' | 'User';
}

/**
 * The commands of the Azure CLI that assign a role on an account, in one line for a POSIX shell. They define the role
 * first if Azure has none such. `account` is the name of the account.
 */
export function grantCommand(role: Role, account: string | undefined, principal: Principal): string {
  const name = role.definition === undefined ? role.name : `${role.name} (${accountName(account) ?? 'Strongroom'})`;
  const assignment =
    `az role assignment create ${assignee(principal)} --role ${quoted(name)} ` + `--scope ${scopeOf(account)}`;
  if (role.definition === undefined) return assignment;
  // With a semicolon: if the role is defined already, it still has to be assigned.
  return `az role definition create --role-definition ${definition(role, name, account)}; ${assignment}`;
}

/** The command that turns soft delete on, for blobs and containers. */
export function softDeleteCommand(account: string): string | null {
  const name = accountName(account);
  if (name === undefined) return null;
  return (
    `az storage account blob-service-properties update --account-name ${name} ` +
    `--resource-group ${groupOf(name, 'name')} ` +
    '--enable-delete-retention true --delete-retention-days 30 --enable-container-delete-retention true ' +
    '--container-delete-retention-days 30'
  );
}

/** As one word of a POSIX shell, whatever characters it has. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const IS_GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

function assignee({ objectId, clientId, type }: Principal): string {
  if (objectId !== undefined && IS_GUID.test(objectId)) {
    return `--assignee-object-id ${objectId}${type === undefined ? '' : ` --assignee-principal-type ${type}`}`;
  }
  if (clientId !== undefined && IS_GUID.test(clientId)) return `--assignee ${clientId}`;
  return `--assignee-object-id ${quoted('<object id of the identity of the app>')}`;
}

/** Undefined for what cannot be the name of an account: an address may have any other text there. */
function accountName(account: string | undefined): string | undefined {
  return account !== undefined && /^[a-z\d]{3,24}$/.test(account) ? account : undefined;
}

/** The address of an account shows neither its subscription nor its resource group: the Azure CLI finds them. */
function scopeOf(account: string | undefined): string {
  const name = accountName(account);
  if (name === undefined) return quoted('<resource id of the storage account>');
  return `"$(az storage account show --name ${name} --query id -o tsv)"`;
}

function groupOf(name: string, what: 'id' | 'name'): string {
  const group = `"$(az storage account show --name ${name} --query resourceGroup -o tsv)"`;
  return what === 'name' ? group : `"$(az group show --name ${group} --query id -o tsv)"`;
}

/** A role of one's own exists in a resource group, here that of the account. */
function definition({ definition: role }: Role, name: string, account: string | undefined): string {
  const { description, actions, dataActions } = role!;
  const group = accountName(account);
  const [before, after] = JSON.stringify({
    ...{ Name: name, IsCustom: true, Description: description },
    ...{ Actions: actions, DataActions: dataActions, AssignableScopes: [SCOPE] },
  }).split(SCOPE) as [string, string];
  const scope = group === undefined ? quoted('<resource id of a resource group>') : groupOf(group, 'id');
  return `${quoted(before)}${scope}${quoted(after)}`;
}

const SCOPE = '{scope}';
