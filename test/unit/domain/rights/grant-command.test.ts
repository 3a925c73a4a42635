import { execFileSync } from 'node:child_process';
import { describe, expect, it, test } from 'vitest';
import { grantCommand, quoted, softDeleteCommand } from '#domain/rights/grant-command.ts';
import { CUSTOM_ROLES, roleWith } from '#domain/rights/role.ts';

const ID = '11111111-2222-3333-4444-555555555555';
const READER = roleWith('read-blobs', 'source');

/** Names that would end a quotation, begin a substitution, or add a command. */
const HOSTILE = ["x'; touch /tmp/x; '", '$(touch /tmp/x)', '`id`', 'a"b', 'x\ny', '-rf', '\\', '', "'", 'a b', '*'];

/**
 * What a shell makes of a command: the arguments of each call of the Azure CLI, which only prints them here. Its calls
 * within a command print a text in place of what they find.
 */
function callsOf(command: string): string[][] {
  const cli = `az() { case "$*" in
    "storage account show"*"--query id "*) echo "/id of $5";;
    "storage account show"*) echo "group of $5";;
    "group show"*) echo "/id of $4";;
    *) for each in "$@"; do printf '%s\\037' "$each"; done; printf '\\036';;
  esac; }`;
  const text = execFileSync('sh', ['-c', `${cli}\n${command}`], { encoding: 'utf8' });
  return text
    .split('\u001e')
    .slice(0, -1)
    .map((call) => call.split('\u001f').slice(0, -1));
}

test('a role of Azure is assigned on the account, whose id the Azure CLI finds', () => {
  const command = grantCommand(READER, 'mysource', { objectId: ID, type: 'ServicePrincipal' });
  expect(command).toBe(
    `az role assignment create --assignee-object-id ${ID} --assignee-principal-type ServicePrincipal ` +
      `--role 'Storage Blob Data Reader' --scope "$(az storage account show --name mysource --query id -o tsv)"`,
  );
});

describe.runIf(process.platform !== 'win32')('a shell', () => {
  it('assigns a role of Azure', () => {
    expect(callsOf(grantCommand(READER, 'mysource', { objectId: ID }))).toEqual([
      ['role', 'assignment', 'create', '--assignee-object-id', ID]
        .concat(['--role', 'Storage Blob Data Reader'])
        .concat(['--scope', '/id of mysource']),
    ]);
  });

  it.each(CUSTOM_ROLES.map((role) => [role.name, role] as const))('defines %s, then assigns it', (name, role) => {
    const [defined, assigned, ...others] = callsOf(grantCommand(role, 'myvault', { clientId: ID }));
    expect(others).toEqual([]);
    expect(defined!.slice(0, -1)).toEqual(['role', 'definition', 'create', '--role-definition']);
    expect(JSON.parse(defined!.at(-1)!)).toEqual({
      Name: `${name} (myvault)`,
      IsCustom: true,
      Description: role.definition!.description,
      Actions: role.definition!.actions,
      DataActions: role.definition!.dataActions,
      AssignableScopes: ['/id of group of myvault'],
    });
    expect(assigned).toEqual(
      ['role', 'assignment', 'create', '--assignee', ID, '--role', `${name} (myvault)`].concat([
        '--scope',
        '/id of myvault',
      ]),
    );
  });

  it('turns soft delete on in the resource group of the account', () => {
    const [call] = callsOf(softDeleteCommand('myvault')!);
    expect(call).toEqual(expect.arrayContaining(['--account-name', 'myvault', 'group of myvault']));
  });

  it.each(HOSTILE)('runs nothing of a name such as %j', (name) => {
    for (const role of [READER, ...CUSTOM_ROLES]) {
      const calls = callsOf(grantCommand(role, name, { objectId: name, clientId: name }));
      expect(calls.map(([, what]) => what)).toEqual(
        role.definition === undefined ? ['assignment'] : ['definition', 'assignment'],
      );
      expect(calls.at(-1)).toEqual(expect.arrayContaining(['<object id of the identity of the app>']));
      expect(calls.at(-1)).toContain('<resource id of the storage account>');
      expect(softDeleteCommand(name)).toBeNull();
    }
  });

  it.each(HOSTILE)('takes %j in quotes as one word', (text) => {
    expect(execFileSync('sh', ['-c', `printf %s ${quoted(text)}`], { encoding: 'utf8' })).toBe(text);
  });
});
