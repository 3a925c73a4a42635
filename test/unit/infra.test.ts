import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { accessProblems, accessSchema } from '#config/access.ts';
import { resolveAccount } from '#config/accounts.ts';
import { archiveRuleSchema } from '#config/archives.ts';
import { ROLE_NAMES } from '#domain/access/role.ts';
import { readEvents } from '#domain/archive/archive-event.ts';
import { HUB_SETTING, hubNameProblem } from '#domain/run/task-hub.ts';
import { CONDITION_NAMES } from '#domain/watch/conditions.ts';
import { Telemetry } from '#telemetry/telemetry.ts';

/** What the Bicep and the package say without a compiler. What a deployment makes of it: infra-snapshots.test.ts. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n');
const json = (path: string) => JSON.parse(read(path));

const FILES = ['infra/main.bicep', ...readdirSync(join(root, 'infra', 'app')).map((name) => `infra/app/${name}`)];

/** Built-in roles by id, from Azure's documentation. */
const ROLES: Record<string, string> = {
  '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1': 'Storage Blob Data Reader',
  '76199698-9eea-4c19-bc75-cec21354c6b6': 'Storage Table Data Reader',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a': 'Storage Queue Data Message Sender',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
};

/** Without comments, and with what texts hold blotted out: only their interpolations count. */
function bare(bicep: string): string {
  return bicep
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/(?<=\s)\/\/ .*$/gm, '')
    .replace(/'((?:[^'\\\n]|\\.)*)'/g, (_, text: string) => `'${[...text.matchAll(/\$\{[^}]*\}/g)].join('')}'`);
}

const names = (bicep: string, pattern: RegExp) => [...bicep.matchAll(pattern)].map(([, name]) => name!);
const params = (bicep: string) => names(bicep, /^param (\w+) /gm);
const required = (bicep: string) => names(bicep, /^param (\w+) \w+$/gm);
const outputs = (bicep: string) => names(bicep, /^output (\w+) /gm);

interface Module {
  name: string;
  path: string;
  /** Absent of a module that is always deployed. */
  condition?: string;
  /** What the deployment is called in Azure, as it is written. */
  deployment: string;
  passed: string[];
}

function modules(bicep: string): Module[] {
  return [...bicep.matchAll(/^module (\w+) '([^']+)' = (?:if \((.*)\) )?\{\n([\s\S]*?)^\}$/gm)].map(
    ([, name, path, condition, body]) => ({
      name: name!,
      path: path!,
      ...(condition !== undefined && { condition }),
      deployment: /^ {2}name: '(.+)'$/m.exec(body!)![1]!,
      passed: names(/^ {2}params: \{\n([\s\S]*?)^ {2}\}$/m.exec(body!)?.[1] ?? '', /^ {4}(\w+): /gm),
    }),
  );
}

/** The items of `key: [ 'a' 'b' ]` and of `var key = [ … ]`, of every one there is in the file. */
function lists(bicep: string, key: string): string[] {
  return [...bicep.matchAll(new RegExp(`\\b${key}(?::| =) \\[([^\\]]*)\\]`, 'g'))].flatMap(([, items]) =>
    names(items!, /'([^']+)'/g),
  );
}

/** The short form of an action: `blobs/delete` for `Microsoft.Storage/…/containers/blobs/delete`. */
function short(actions: string[]): string[] {
  return actions.map((action) => action.replace(/^Microsoft\.Storage\/storageAccounts\/(?:blobServices\/)?/, ''));
}

const main = read('infra/main.bicep');

describe.each(FILES)('%s', (file) => {
  const text = read(file);
  const code = bare(text);

  it('closes every bracket it opens', () => {
    const open: string[] = [];
    const pairs: Record<string, string> = { ')': '(', ']': '[', '}': '{' };
    for (const character of code) {
      if ('([{'.includes(character)) open.push(character);
      if (')]}'.includes(character)) expect(open.pop()).toBe(pairs[character]);
    }
    expect(open).toEqual([]);
    expect([...code].filter((character) => character === "'").length % 2).toBe(0);
  });

  it('declares each name once, and uses what it declares', () => {
    const declared = names(text, /^(?:param|var|resource|module) (\w+) /gm);
    expect(new Set(declared).size).toBe(declared.length);
    const values = names(text, /^(?:param|var) (\w+) /gm);
    expect(values.filter((name) => code.match(new RegExp(`\\b${name}\\b`, 'g'))!.length < 2)).toEqual([]);
  });

  it('uses no registry module, and no role that is not known', () => {
    expect(text).not.toMatch(/'(?:br|ts)[:/]/);
    const ids = text.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [];
    expect(ids.filter((id) => !(id in ROLES))).toEqual([]);
  });

  it('holds no key and asks for none', () => {
    expect(text).not.toMatch(/listKeys|listAccountSas|AccountKey|ConnectionString: '|sharedKey: true/i);
    if (text.includes("storageAccounts@2024-01-01' = {")) expect(text).toContain('allowSharedKeyAccess: false');
  });
});

describe('modules', () => {
  const all = modules(main);

  it('are all there and all used', () => {
    expect([...new Set(all.map(({ path }) => `infra/${path}`))].sort()).toEqual(
      FILES.filter((file) => file.includes('/app/')).sort(),
    );
    expect(all).toHaveLength(main.match(/^module /gm)!.length);
  });

  it('are deployed under names of their own', () => {
    expect(new Set(all.map(({ deployment }) => deployment)).size).toBe(all.length);
  });

  it.each(all)('$name gets what it asks for, and nothing else', ({ path, passed }) => {
    const text = read(join('infra', path));
    expect(passed.filter((name) => !params(text).includes(name))).toEqual([]);
    expect(required(text).filter((name) => !passed.includes(name))).toEqual([]);
  });

  it('have the outputs that are read of them', () => {
    for (const [, name, output] of main.matchAll(/\b(\w+)!?\.outputs\.(\w+)/g)) {
      const module = all.find((candidate) => candidate.name === name);
      expect(outputs(read(join('infra', module!.path)))).toContain(output);
    }
  });

  it('are read only where they are deployed', () => {
    for (const { name, condition } of all.filter((module) => module.condition !== undefined)) {
      const lines = main.split('\n').filter((line) => new RegExp(`\\b${name}\\W*outputs\\.`).test(line));
      expect(lines.filter((line) => !line.includes(`: ${condition} ? ${name}!.outputs.`))).toEqual([]);
    }
  });
});

describe('main.parameters.json', () => {
  const given: Record<string, { value: unknown }> = json('infra/main.parameters.json').parameters;

  it('gives parameters that exist, and all that are needed', () => {
    expect(Object.keys(given).filter((name) => !params(main).includes(name))).toEqual([]);
    expect(required(main).filter((name) => !(name in given))).toEqual([]);
  });

  it('gives each the type it is declared with', () => {
    for (const [name, { value }] of Object.entries(given)) {
      const type = new RegExp(`^param ${name} (\\w+)`, 'm').exec(main)![1];
      const kind = Array.isArray(value) ? 'array' : typeof value;
      expect([name, { string: 'string', number: 'int', boolean: 'bool', array: 'array' }[kind as string]]).toEqual([
        name,
        type,
      ]);
    }
  });
});

describe('app settings', () => {
  const text = read('infra/app/function-app.bicep');
  const settings = Object.fromEntries(
    [...text.matchAll(/^(?: {2}){1,2}([A-Za-z]+(?:__|_)\w+): (.+)$/gm)].map(([, name, value]) => [name!, value!]),
  );
  const fill = (name: string) =>
    name.endsWith('Uri')
      ? `https://account.${name.includes('table') ? 'table.example.org' : 'blob.example.net'}/`
      : name.endsWith('clientId')
        ? '11111111-2222-3333-4444-555555555555'
        : 'something';
  const filled = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, value.startsWith("'") ? value.slice(1, -1) : fill(name)]),
  );

  it.each(['SOURCE', 'VAULT', 'VAULT_PRUNE'])(
    'say how to reach %s in the way the configuration reads them',
    (alias) => {
      const mine = Object.keys(settings).filter((name) => name.startsWith(`${alias}__`));
      const resolved = resolveAccount(alias, filled);
      expect(resolved).not.toHaveProperty('problems');
      // Each of them is read: without it something would be different.
      expect(mine).toContain(`${alias}__credential`);
      for (const name of mine.filter((setting) => !setting.endsWith('__credential'))) {
        const { [name]: _, ...rest } = filled;
        expect(resolveAccount(alias, rest)).not.toEqual(resolved);
      }
    },
  );

  it('name the accounts of strongroom.json', () => {
    const aliases = json('strongroom.json').jobs.flatMap(
      (job: Record<'source' | 'destination', { account: string }>) => [job.source.account, job.destination.account],
    );
    for (const alias of aliases) expect(settings).toHaveProperty(`${alias}__blobServiceUri`);
  });

  it('reach the same vault by the identity that may delete there, where there is one', () => {
    expect(settings.VAULT_PRUNE__blobServiceUri).toBe(settings.VAULT__blobServiceUri);
    expect(settings.VAULT_PRUNE__clientId).toBe('pruneIdentityClientId');
    expect(Object.entries(settings).filter(([, value]) => value.includes('pruneIdentity'))).toHaveLength(1);
    expect(text).toContain('var pruneSettings = empty(pruneIdentityId) ? {} : {\n  VAULT_PRUNE__');
    expect(text).toContain('properties: union(appSettings, pruneSettings, signInSettings, {');
    expect(text).toMatch(/userAssignedIdentities: union\(.*'\$\{identityId\}'.*'\$\{pruneIdentityId\}'/);
    // Everything else the host does, its package and its telemetry included, is done by the other one.
    expect(text).toContain('userAssignedIdentityResourceId: identityId');
  });

  it('switch the app to Entra only together with the sign-in in front of it', () => {
    const condition = 'empty(entraClientId)';
    expect(settings.STRONGROOM_AUTH).toBe("'entra'");
    expect(text).toContain(`var signInSettings = ${condition} ? {} : {\n  STRONGROOM_AUTH: `);
    expect(text).toContain(
      `'Microsoft.Web/sites/config@2024-04-01' = if (!${condition}) {\n  parent: app\n  name: 'auth`,
    );
    // The start refuses the mode until the platform has turned the sign-in on.
    expect(text).toMatch(/VAULT__clientId: identityClientId\n {2}\}\)\n.*\n {2}dependsOn: \[\n {4}signIn\n/);
    // Keys of machines and calls that anyone may send get through to the app.
    expect(text).toContain("unauthenticatedClientAction: 'AllowAnonymous'");
    expect(text).not.toMatch(/clientSecret(?!SettingName)/);
    // Of the tenant that is given, and for a credential of the identity, whose subject is its object id.
    expect(main).toContain('entraTenantId: empty(entraTenantId) ? tenant().tenantId : entraTenantId\n');
    expect(main).toContain('output STRONGROOM_IDENTITY string = identity.outputs.principalId\n');
  });

  it('let the app answer at its address, where the page is', () => {
    expect(text).toContain("AzureWebJobsDisableHomepage: 'true'\n");
  });

  it('reach the host storage by identity, and set nothing that Flex Consumption refuses', () => {
    expect(settings).toMatchObject({
      AzureWebJobsStorage__blobServiceUri: 'hostBlobEndpoint',
      AzureWebJobsStorage__queueServiceUri: 'hostQueueEndpoint',
      AzureWebJobsStorage__tableServiceUri: 'hostTableEndpoint',
      AzureWebJobsStorage__accountName: 'hostStorageName',
      AzureWebJobsStorage__credential: "'managedidentity'",
      AzureWebJobsStorage__clientId: 'identityClientId',
    });
    const refused = /^(?:FUNCTIONS_|WEBSITE_|SCM_|ENABLE_ORYX|AzureWebJobsStorage$|TZ$)/;
    expect(Object.keys(settings).filter((name) => refused.test(name))).toEqual([]);
  });
});

describe('app-roles.json', () => {
  const roles: Record<string, unknown>[] = json('infra/app-roles.json');

  it('has an app role for each role of the app, for users and apps', () => {
    expect(roles.map(({ value }) => value)).toEqual(
      ROLE_NAMES.map((role) => `Strongroom.${role[0]!.toUpperCase()}${role.slice(1)}`),
    );
    for (const role of roles) {
      expect(role).toMatchObject({ allowedMemberTypes: ['User', 'Application'], isEnabled: true });
      expect(role.id).toMatch(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
    }
    expect(new Set(roles.map(({ id }) => id)).size).toBe(roles.length);
  });

  it('is what the roles of the README refer to, which the configuration accepts', () => {
    const [, shown] = /^ +"access": (\{[\s\S]*?\} \})$/m.exec(read('infra/README.md'))!;
    const written = accessSchema.parse(JSON.parse(shown!));
    expect(Object.keys(written.roles)).toEqual(roles.map(({ value }) => value));
    for (const [appRole, role] of Object.entries(written.roles))
      expect(appRole.toLowerCase()).toBe(`strongroom.${role}`);
    const platform = { STRONGROOM_AUTH: 'entra', WEBSITE_AUTH_ENABLED: 'True' };
    expect(accessProblems(written, platform)).toEqual([]);
    expect(accessProblems({ ...written, roles: {} }, platform)).toHaveLength(1);
  });
});

describe('rights', () => {
  const DESTRUCTIVE = /delete|move|\*|Acl|superUser|permanent|filter|listkeys/i;

  it('let the app do in the vault what it does there, and not delete', () => {
    const text = read('infra/app/vault-access.bicep');
    const granted = short([...lists(text, 'actions'), ...lists(text, 'dataActions')]);
    expect(granted.filter((action) => DESTRUCTIVE.test(action))).toEqual([]);
    expect(granted).toEqual(
      expect.arrayContaining([
        'containers/read',
        'containers/write',
        'containers/blobs/read',
        'containers/blobs/write',
        'containers/blobs/tags/write',
        'tableServices/tables/write',
        'tableServices/tables/entities/read',
        'tableServices/tables/entities/write',
      ]),
    );
  });

  it('let the app sign for what it restores from the vault, as an action on the account', () => {
    expect(short(lists(read('infra/app/vault-access.bicep'), 'actions'))).toContain('generateUserDelegationKey/action');
  });

  it('let the app only read the source', () => {
    const text = read('infra/app/source-access.bicep');
    expect(text.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g)!.map((id) => ROLES[id])).toEqual([
      'Storage Blob Data Reader',
      'Storage Table Data Reader',
    ]);
    expect(lists(text, 'actions')).toEqual([]);
    expect(short(lists(text, 'dataActions'))).toEqual(['containers/blobs/tags/read']);
  });

  it('let it read tables only where that is asked for, and write them only where both are', () => {
    const source = read('infra/app/source-access.bicep');
    expect(source.match(/tableReaderRole/g)).toHaveLength(3);
    expect(source).toMatch(
      new RegExp(
        "^resource mayReadTables '[^']+' = if \\(readTables\\) \\{\\n" +
          ' {2}name: guid\\(account\\.id, principalId, tableReaderRole\\)$',
        'm',
      ),
    );
    expect(main).toContain(' readTables: readTables\n');
    expect(main).toContain(' withTables: readTables\n');
    const restore = read('infra/app/restore-access.bicep');
    expect(short(lists(restore, 'tableActions'))).toEqual(['tableServices/tables/read', 'tableServices/tables/write']);
    expect(short(lists(restore, 'tableDataActions'))).toEqual([
      'tableServices/tables/entities/read',
      'tableServices/tables/entities/add/action',
      'tableServices/tables/entities/update/action',
      'tableServices/tables/entities/write',
    ]);
  });

  it.each(['readTables', 'pruneIdentity', 'restoreToSource'])(
    'beyond those of a backup of blobs wait for %s to be asked for',
    (name) => {
      expect(main).toContain(`param ${name} bool = false`);
      expect(json('infra/main.parameters.json').parameters[name]).toEqual({ value: false });
    },
  );

  it('let the identity that prunes delete in the vault, and neither write nor override soft delete', () => {
    const text = read('infra/app/prune-access.bicep');
    expect(short(lists(text, 'actions'))).toEqual(['containers/read', 'containers/delete']);
    expect(short(lists(text, 'dataActions'))).toEqual([
      'containers/blobs/read',
      'containers/blobs/delete',
      'containers/blobs/deleteBlobVersion/action',
    ]);
  });

  it('to delete, as far as our own roles go, are only those of the identity that prunes', () => {
    const lines = ['actions', 'dataActions', 'writeActions', 'writeDataActions', 'tableActions', 'tableDataActions'];
    const destructive = modules(main).filter(({ path }) =>
      lines.some((key) => short(lists(read(join('infra', path)), key)).some((action) => DESTRUCTIVE.test(action))),
    );
    expect(destructive.map(({ name }) => name)).toEqual(['pruneAccess']);
    expect(destructive[0]!.condition).toBe('separatePrune');
    // With the built-in roles the other one may delete too, and nothing would be separate.
    expect(main).toContain('var separatePrune = pruneIdentity && customRoles\n');
  });

  it('are all that the identity that prunes has', () => {
    const body = (name: string) => new RegExp(`^module ${name} [\\s\\S]*?^\\}$`, 'm').exec(main)![0];
    const users = modules(main).filter(({ name }) => /pruner!?\.outputs/.test(body(name)));
    expect(users.map(({ name }) => name)).toEqual(['pruneAccess', 'functionApp']);
    expect(body('pruneAccess')).toContain('principalId: separatePrune ? pruner!.outputs.principalId');
    expect(
      body('functionApp')
        .match(/^.*pruner!?\.outputs.*$/gm)!
        .map((line) => line.trim().split(':')[0]),
    ).toEqual(['pruneIdentityId', 'pruneIdentityClientId']);
  });

  it('let the app write to the source for a restore, and not delete there', () => {
    const text = read('infra/app/restore-access.bicep');
    expect(short(lists(text, 'writeActions'))).toEqual(['containers/write']);
    expect(short(lists(text, 'writeDataActions'))).toEqual([
      'containers/blobs/read',
      'containers/blobs/write',
      'containers/blobs/add/action',
      'containers/blobs/tags/write',
    ]);
    expect(main).toContain('mayWrite: restoreToSource\n');
  });

  it('to write to the source are taken back by a deployment, which removes no assignment', () => {
    const text = read('infra/app/restore-access.bicep');
    expect(short(lists(text, 'readActions'))).toEqual(['containers/read']);
    expect(text).toContain(
      ' actions: mayWrite ? union(readActions, writeActions, withTables ? tableActions : []) : readActions\n',
    );
    expect(text).toContain(
      ' dataActions: mayWrite ? union(writeDataActions, withTables ? tableDataActions : []) : []\n',
    );
    // The role is deployed whatever the parameter says; who has it is not.
    expect(text).toMatch(/^resource restorer 'Microsoft\.Authorization\/roleDefinitions@[\d-]+' = \{$/m);
    expect(text).toMatch(
      /^resource mayRestore 'Microsoft\.Authorization\/roleAssignments@[\d-]+' = if \(mayWrite\) \{$/m,
    );
    expect(modules(main).find(({ name }) => name === 'restoreAccess')!.condition).toBe('customRoles');
  });

  it('keep the vault private and slow to forget', () => {
    const text = read('infra/app/vault.bicep');
    for (const line of [
      'allowBlobPublicAccess: false',
      'allowSharedKeyAccess: false',
      "minimumTlsVersion: 'TLS1_2'",
      'supportsHttpsTrafficOnly: true',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).toMatch(/deleteRetentionPolicy: \{\s+enabled: true/);
    expect(text).toMatch(/containerDeleteRetentionPolicy: \{\s+enabled: true/);
  });
});

describe('events of uploads', () => {
  const topic = read('infra/app/upload-topic.bicep');
  const queue = read('infra/app/upload-queue.bicep');
  const events = read('infra/app/upload-events.bicep');
  const body = (name: string) => new RegExp(`^module ${name} [\\s\\S]*?^\\}$`, 'm').exec(main)![0];
  const resource = (text: string, name: string) => new RegExp(`^resource ${name} [\\s\\S]*?^\\}$`, 'm').exec(text)![0];
  /** The rule that a user writes who gives only the name of the queue. */
  const ruleOf = (name: string) =>
    archiveRuleSchema.safeParse({
      name: 'uploads',
      source: { account: 'SOURCE', container: 'incoming' },
      destination: { account: 'VAULT', container: 'archive' },
      events: { queue: name },
    });

  it('are not asked for, unless containers are given', () => {
    expect(main).toContain('\nparam uploadContainers array = []\n');
    expect(main).toContain('\nvar tellOfUploads = !empty(uploadContainers)\n');
    expect(json('infra/main.parameters.json').parameters.uploadContainers).toEqual({ value: [] });
    const mine = modules(main).filter(({ path }) => path.startsWith('app/upload-'));
    expect(mine.map(({ name, condition }) => [name, condition])).toEqual([
      ['uploadTopic', 'tellOfUploads'],
      ['uploadQueue', 'tellOfUploads'],
      ['uploadEvents', 'tellOfUploads'],
    ]);
  });

  it('come from the resource group of the source, and go to that of the app', () => {
    const scope = (name: string) => /^ {2}scope: (.*)$/m.exec(body(name))![1];
    expect(scope('uploadTopic')).toBe(scope('sourceAccess'));
    expect(scope('uploadEvents')).toBe(scope('sourceAccess'));
    expect(scope('uploadQueue')).toBe(scope('hostStorage'));
    // Where its source lies, which need not be where the app does.
    expect(body('uploadTopic')).toContain(' location: sourceAccess.outputs.location\n');
    expect(topic).toContain(' source: account.id\n');
  });

  it('are of the kinds that the app takes for uploads, and of whole container names', () => {
    const types = lists(events, 'includedEventTypes');
    expect(types).toHaveLength(2);
    const data = { url: 'https://source.blob.core.windows.net/incoming/a.jpg' };
    for (const eventType of types) {
      expect(readEvents(JSON.stringify({ eventType, data }))).toEqual({
        events: [expect.objectContaining({ container: 'incoming', name: 'a.jpg' })],
      });
    }
    expect(events).toMatch(/ subjectBeginsWith: '\/blobServices\/default\/containers\/\$\{container\}\/'\n/);
    expect(events).toContain(' = [for container in containers: {\n');
    // Event Grid has a limit of 64 characters, and a hash is 13.
    expect(events).toMatch(/ name: 'strongroom-\$\{uniqueString\(accountId, queueName, container\)\}'\n/);
  });

  it('wait in the queue that a rule names, in the account that it means where it names none', () => {
    const [, name] = /^param uploadQueueName string = '(.*)'$/m.exec(main)!;
    expect(json('infra/main.parameters.json').parameters.uploadQueueName).toEqual({ value: name });
    expect(ruleOf(name!).data?.events).toEqual({ queue: name, queueAccount: 'AzureWebJobsStorage' });
    expect(read('infra/app/function-app.bicep')).toContain(' AzureWebJobsStorage__accountName: hostStorageName\n');
    expect(body('functionApp')).toContain(' hostStorageName: hostStorage.outputs.name\n');
    expect(body('uploadQueue')).toContain(' accountName: hostStorage.outputs.name\n');
    for (const module of ['uploadQueue', 'uploadEvents'])
      expect(body(module)).toContain(' queueName: uploadQueueName\n');
    expect(resource(queue, 'queue')).toContain(' name: queueName\n');
    // The app empties it with a right that it has in any case.
    expect(lists(read('infra/app/host-storage.bicep'), 'roles').map((id) => ROLES[id])).toContain(
      'Storage Queue Data Contributor',
    );
  });

  it('may wait in a queue of any name that a rule may have', () => {
    const [, min, max] = /@minLength\((\d+)\)\n@maxLength\((\d+)\)\n.*\nparam uploadQueueName /.exec(main)!;
    for (const length of [Number(min), Number(max)]) expect(ruleOf('q'.repeat(length)).success).toBe(true);
    for (const length of [Number(min) - 1, Number(max) + 1]) expect(ruleOf('q'.repeat(length)).success).toBe(false);
  });

  it('are delivered by the identity of the topic, which may do that and no more', () => {
    expect(events.match(/type: 'SystemAssigned'/g)).toHaveLength(2);
    // Without an identity Event Grid would need the key of the account, and that is off.
    expect(events).toMatch(/^ {4}deliveryWithResourceIdentity: \{$/m);
    expect(events).toMatch(/^ {4}deadLetterWithResourceIdentity: \{$/m);
    expect(events).not.toMatch(/^ {4}(?:destination|deadLetterDestination): /m);
    expect(body('uploadQueue')).toContain(' principalId: tellOfUploads ? uploadTopic!.outputs.principalId : ');
    const granted = ['maySend', 'mayDeadLetter'].map((name) => resource(queue, name));
    expect(granted.map((text) => [/scope: (\w+)/.exec(text)![1], /Definitions', (\w+)\)/.exec(text)![1]])).toEqual([
      ['queue', 'senderRole'],
      ['account', 'contributorRole'],
    ]);
    expect(queue.match(/roleAssignments@/g)).toHaveLength(2);
    expect(names(queue, /^var (?:sender|contributor)Role = '(.*)' \/\/ /gm).map((id) => ROLES[id])).toEqual([
      'Storage Queue Data Message Sender',
      'Storage Blob Data Contributor',
    ]);
  });

  it('are asked for only once the identity may deliver, and there is where to', () => {
    expect(body('uploadEvents')).toContain(' accountId: tellOfUploads ? uploadQueue!.outputs.accountId : ');
    expect(body('uploadEvents')).toContain(
      ' deadLetterContainer: tellOfUploads ? uploadQueue!.outputs.deadLetterContainer',
    );
    expect(resource(queue, 'undelivered')).toContain(' name: deadLetterContainer\n');
    expect(events).toContain(' blobContainerName: deadLetterContainer\n');
  });

  it('come through the topic that the source has already, where it has one', () => {
    expect(main).toContain("\nparam uploadTopicName string = ''\n");
    expect(body('uploadTopic')).toContain(' existingName: uploadTopicName\n');
    expect(topic).toContain('\nvar make = empty(existingName)\n');
    expect(topic).toMatch(/^resource made 'Microsoft\.EventGrid\/systemTopics@[\d-]+' = if \(make\) \{$/m);
    expect(topic).toContain('output name string = make ? name : existingName\n');
    expect(topic).toContain('= make ? made!.identity.principalId : found.identity.principalId\n');
  });

  it('reach a blob trigger under the name that the app gives it, as the README says', () => {
    const [, prefix] = /ArchiveRule\) => functionName\('(archive_\w+)', name\)/.exec(
      read('src/functions/triggers.ts'),
    )!;
    expect(read('infra/README.md')).toContain(`functionName=Host.Functions.${prefix}_uploads&`);
  });
});

describe('the alert', () => {
  it('is one for each job, and does not end because time passes', () => {
    const text = read('infra/app/monitoring.bicep');
    const [, query] = /^ +query: '(.*)'$/m.exec(text)!;
    expect(text).toMatch(/^ {4}autoMitigate: false$/m);
    const dimension =
      /^ {10}dimensions: \[\n {12}\{\n {14}name: '(\w+)'\n {14}operator: 'Include'\n {14}values: \[\n {16}'\*'$/m;
    const [, name] = dimension.exec(text)!;
    expect(query).toMatch(new RegExp(`\\| extend ${name} = coalesce\\(tostring\\(customDimensions\\.job\\), `));
    // Events of uploads name a rule instead.
    expect(query).toContain('tostring(customDimensions.rule)');
  });

  it('alerts on the names under which the app reports problems', () => {
    const [, query] = /^ +query: '(.*)'$/m.exec(read('infra/app/monitoring.bicep'))!;
    const [, prefix] = /trackEvent\(\{ name: `(.*)\$\{name\}`/.exec(read('src/telemetry/application-insights.ts'))!;
    const reported: string[] = [];
    const sink = { event: (name: string) => reported.push(name), metric() {}, exception() {}, flush: async () => {} };
    const telemetry = new Telemetry(() => {}, sink);
    telemetry.uploadFailedPermanently('uploads', 'access-denied-destination');
    telemetry.startFailed({ job: 'nightly', what: 'backup', due: '', message: '' });
    telemetry.brakeEngaged({ id: 'run', job: 'nightly' } as Parameters<Telemetry['brakeEngaged']>[0], 'too much');
    expect(reported).toHaveLength(3);
    for (const name of reported) expect(query).toContain(`"${prefix}${name}"`);
    telemetry.misconfigured(1, '');
    expect(read('infra/app/monitoring.bicep')).toContain(`where name == "${prefix}${reported.at(-1)}"'`);
  });

  it('alerts on each condition of the watch that no other event reports', () => {
    const [, query] = /^ +query: '(.*)'$/m.exec(read('infra/app/monitoring.bicep'))!;
    const [, list] = /customDimensions\.condition\), "\/"\)\[0\]\) in \(([^)]*)\)/.exec(query!)!;
    const named = [...list!.matchAll(/"([a-z-]+)"/g)].map(([, name]) => name!);
    // A run that ends or does not start, a brake and a poison upload have events, and `slow` is no trouble. Of a silent
    // restore, a lost restore point and an object that cannot be read, nothing but the watch reports.
    const others = ['failed', 'incomplete', 'not-started', 'brake', 'poison', 'slow'];
    expect([...named, ...others].sort()).toEqual([...CONDITION_NAMES].sort());
  });
});

describe('azd down', () => {
  it('is stopped, whatever the system: it may delete the resource group of the source', () => {
    const [, hook] = /^hooks:\n[\s\S]*?^ {2}predown:\n([\s\S]*?)^services:$/m.exec(read('azure.yaml'))!;
    expect(names(hook!, /^ {4}(\w+):$/gm)).toEqual(['posix', 'windows']);
    expect(hook!.match(/^ {8}exit 1$/gm)).toHaveLength(2);
    expect(hook).not.toContain('continueOnError');
  });
});

describe('the deployed package', () => {
  const DEPLOYED = [
    'dist/index.cjs',
    'dist/applicationinsights.cjs',
    'dist/otlp.cjs',
    'dist/page/index.html',
    'host.json',
    'package.json',
    'strongroom.json',
  ];
  const patterns = read('.funcignore')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));

  it('is built, and loaded as CommonJS by the name that package.json gives', () => {
    const { main: entry } = json('package.json');
    expect(entry).toBe('dist/index.cjs');
    expect(read('tools/build.ts')).toMatch(/outExtension: \{ '\.js': '\.cjs' \}/);
  });

  it('has a host.json of version 2, with a version 4 bundle and Durable on Azure Storage', () => {
    const { version, extensionBundle, extensions } = json('host.json');
    expect(version).toBe('2.0');
    expect(extensionBundle.version).toBe('[4.*, 5.0.0)');
    expect(extensions.durableTask.storageProvider.type).toBe('AzureStorage');
  });

  it('names the task hub by the setting that the templates give each app', () => {
    // Where it could be overridden, the scale controller would not follow, and start no instances.
    expect(json('host.json').extensions.durableTask.hubName).toBe(`%${HUB_SETTING}%`);
    expect(read('infra/app/function-app.bicep')).toContain(`    ${HUB_SETTING}: taskHub\n`);
    expect(json('local.settings.sample.json').Values[HUB_SETTING]).toMatch(/^strongroom[a-z]+$/);
    for (const name of [`strongroom${'a'.repeat(13)}`, json('local.settings.sample.json').Values[HUB_SETTING]])
      expect(hubNameProblem(name)).toBeUndefined();
  });

  it('hides the steps of a killed process for one minute, the shortest with which a host starts', () => {
    expect(json('host.json').extensions.durableTask.storageProvider).toMatchObject({
      workItemQueueVisibilityTimeout: '00:01:00',
      controlQueueVisibilityTimeout: '00:01:00',
    });
  });

  it('leaves out all but what is needed', () => {
    const stays = tracked().filter((path) => !ignoredByGitRules(path, patterns));
    expect(stays.filter((path) => ![...DEPLOYED, 'strongroom.schema.json'].includes(path))).toEqual([]);
    expect(DEPLOYED.filter((path) => ignoredByGitRules(path, patterns))).toEqual([]);
    expect(ignoredByGitRules('node_modules/zod/index.js', patterns)).toBe(true);
    expect(ignoredByGitRules('dist/index.cjs.map', patterns)).toBe(true);
    expect(ignoredByGitRules('local.settings.json', patterns)).toBe(true);
  });

  it('is the same to func, which matches patterns as beginnings of paths', () => {
    const stays = tracked().filter((path) => !ignoredByFunc(path, patterns));
    expect(stays.filter((path) => ![...DEPLOYED, 'strongroom.schema.json'].includes(path))).toEqual([]);
    expect(DEPLOYED.filter((path) => ignoredByFunc(path, patterns))).toEqual([]);
    expect(ignoredByFunc('node_modules/zod/index.js', patterns)).toBe(true);
    expect(ignoredByFunc('local.settings.json', patterns)).toBe(true);
  });

  it('is not built in Azure, which azd accepts while the folder node_modules itself is not ignored', () => {
    expect(read('azure.yaml')).toMatch(/^ {4}remoteBuild: false$/m);
    expect(patterns).toContain('node_modules/*');
    expect(patterns.filter((pattern) => /^\/?(?:\*|\*\*|node_modules(?:\/|\/\*\*)?)$/.test(pattern))).toEqual([]);
  });

  it('goes to the app that the template tags for it', () => {
    const service = /^services:\n {2}(\w+):$/m.exec(read('azure.yaml'))![1];
    expect(read('infra/app/function-app.bicep')).toContain(`'azd-service-name': '${service}'`);
    expect(existsSync(join(root, 'infra', 'main.bicep'))).toBe(true);
  });
});

/** What is under version control; without git, the top level of the folder. */
function tracked(): string[] {
  try {
    const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    return listed.split('\0').filter((path) => path && existsSync(join(root, path)));
  } catch {
    return readdirSync(root, { withFileTypes: true }).map((entry) =>
      entry.isDirectory() ? `${entry.name}/x` : entry.name,
    );
  }
}

/** As far as .funcignore goes: names, folders and `*`, without exceptions. */
function ignoredByGitRules(path: string, patterns: string[]): boolean {
  return patterns.some((pattern) => {
    const body = pattern.replace(/\/$/, '');
    const expression = body.replace(/[.+]/g, '\\$&').replaceAll('*', '[^/]*');
    const start = body.includes('/') ? '^' : '(?:^|/)';
    return new RegExp(`${start}${expression}${pattern.endsWith('/') ? '/' : '(?:/|$)'}`).test(path);
  });
}

function ignoredByFunc(path: string, patterns: string[]): boolean {
  const expressions = patterns.map((pattern) => pattern.replace(/[.+/]/g, '\\$&').replaceAll('*', '[^/]+'));
  return new RegExp(`^(?:${expressions.join('|')})\\b`).test(path) || dirname(path) === '.git';
}
