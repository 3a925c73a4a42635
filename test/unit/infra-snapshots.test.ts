import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it, test } from 'vitest';
import type { Resource } from '../../tools/bicep/snapshot.ts';

/** What the compiler says that the examples deploy. `npm run check` compares the snapshots with the templates. */

const infra = new URL('../../infra/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, infra), 'utf8').replaceAll('\r\n', '\n');

const EXAMPLES = readdirSync(new URL('examples', infra))
  .filter((file) => file.endsWith('.bicepparam'))
  .map((file) => basename(file, '.bicepparam'));
const SNAPSHOTS = Object.fromEntries(
  EXAMPLES.map((name) => [name, JSON.parse(read(`examples/${name}.snapshot.json`)) as Resource[]]),
);
const TOKEN = 'qdmz6da6m5xmk';
const GROUP = '/resourceGroups/rg-strongroom';

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
const ACCOUNTS: [RegExp, string][] = [
  [/\/storageAccounts\/mysource$/, 'source'],
  [/\/storageAccounts\/(?:stvault\w+|myvault)$/, 'vault'],
  [/\/storageAccounts\/sthost\w+(?:\/queueServices\/default\/queues\/strongroom-uploads)?$/, 'host storage'],
  [/\/components\/appi-/, 'Application Insights'],
];
const PRINCIPALS: Record<string, string> = {
  [`<id-strongroom-${TOKEN}.principalId>`]: 'app',
  [`<id-strongroom-prune-${TOKEN}.principalId>`]: 'prune identity',
  [`<evgt-strongroom-${TOKEN}.identity.principalId>`]: 'topic',
  '<defender-topic.identity.principalId>': 'topic',
};

const kind = ({ type }: Resource) => type.slice(type.lastIndexOf('/') + 1);
const of = (resources: Resource[], wanted: string) => resources.filter((resource) => kind(resource) === wanted);
const properties = (resource: Resource) => resource.properties as Record<string, unknown>;

/** The rights that a deployment gives: `account: role (identity)`. */
function rights(resources: Resource[]): string[] {
  const own = of(resources, 'roleDefinitions').map((role) => [role.name.split('/').at(-1)!, roleName(role)]);
  const known = { ...ROLES, ...Object.fromEntries(own) };
  return of(resources, 'roleAssignments')
    .map((assignment) => {
      const { roleDefinitionId, principalId } = properties(assignment) as Record<string, string>;
      const [, account] = ACCOUNTS.find(([pattern]) => pattern.test(assignment.scope!)) ?? [];
      return `${account}: ${known[roleDefinitionId!.split('/').at(-1)!]} (${PRINCIPALS[principalId!]})`;
    })
    .sort();
}

/** The name of a custom role, without the hash that makes it unique in the tenant. */
function roleName(role: Resource): string {
  return (properties(role).roleName as string).replace(/ \(\w+\)$/, '');
}

const label = (resource: Resource) =>
  kind(resource) === 'roleDefinitions'
    ? `role ${roleName(resource)}`
    : `${kind(resource)} ${resource.name.slice(resource.name.lastIndexOf('/') + 1).replace(`-${TOKEN}`, '')}`;

/** How one deployment differs from another: the rights, all other resources, and the properties of those in both. */
function difference(from: string, to: string) {
  const key = ({ scope, type, name }: Resource) => `${scope} ${type} ${name}`;
  const [before, after] = [SNAPSHOTS[from]!, SNAPSHOTS[to]!];
  const others = (some: Resource[], than: Resource[]) =>
    some
      .filter((one) => kind(one) !== 'roleAssignments' && !than.some((other) => key(other) === key(one)))
      .map(label)
      .sort();
  const less = (some: string[], than: string[]) => some.filter((one) => !than.includes(one));
  const changed = after.flatMap((resource) => {
    const earlier = before.find((other) => key(other) === key(resource));
    return earlier === undefined ? [] : paths(earlier, resource).map((path) => `${label(resource)} ${path}`);
  });
  return Object.fromEntries(
    Object.entries({
      given: less(rights(after), rights(before)),
      taken: less(rights(before), rights(after)),
      made: others(after, before),
      gone: others(before, after),
      changed,
    }).filter(([, list]) => list.length > 0),
  );
}

/** The paths of what differs. A list counts as a whole. */
function paths(before: unknown, after: unknown): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isObject(before) || !isObject(after)) return [''];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
    paths(before[name], after[name]).map((path) => `${name}${path && '.'}${path}`),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

describe.each(EXAMPLES)('the example %s', (name) => {
  const resources = SNAPSHOTS[name]!;

  it('is named by the README', () => {
    expect(read('README.md')).toContain(`\`examples/${name}.bicepparam\``);
  });

  it('gives no right that the README does not list for that account and identity', () => {
    const rows = [
      ...read('README.md').matchAll(/^\| (source|vault|host storage|Application Insights) +\| (.*?) +\| (\S.*?) +\|/gm),
    ];
    for (const right of rights(resources)) {
      const [, account, role, identity] = /^(.+): (.+) \((.+)\)$/.exec(right)!;
      const listed = rows.some(([, of, who, what]) => of === account && who === identity && what!.includes(role!));
      expect([right, listed]).toEqual([right, true]);
    }
  });

  it('gives each right once, under a name of its own', () => {
    const assignments = of(resources, 'roleAssignments').map(({ scope, name }) => `${scope} ${name}`);
    expect(new Set(assignments).size).toBe(assignments.length);
    expect(new Set(rights(resources)).size).toBe(assignments.length);
  });

  it('opens nothing to the public, and no account to keys', () => {
    for (const account of of(resources, 'storageAccounts')) {
      expect(properties(account)).toMatchObject({
        allowBlobPublicAccess: false,
        allowSharedKeyAccess: false,
        minimumTlsVersion: 'TLS1_2',
        supportsHttpsTrafficOnly: true,
      });
    }
    for (const container of of(resources, 'containers')) expect(properties(container).publicAccess).toBe('None');
    for (const site of of(resources, 'sites')) expect(properties(site)).toMatchObject({ httpsOnly: true });
    for (const component of of(resources, 'components')) expect(properties(component).DisableLocalAuth).toBe(true);
  });

  it('makes nothing with the tags by which azd deletes outside of its own resource group', () => {
    const tagged = resources.filter(({ tags }) => tags !== undefined);
    expect(tagged.filter(({ name }) => !`${name}/`.startsWith(`${GROUP}/`))).toEqual([]);
  });

  it('tells the app the name of a task hub that is its own, and one that a host accepts', () => {
    const [settings] = of(resources, 'config').map((config) => properties(config) as Record<string, string>);
    expect(settings!.STRONGROOM_HUB).toMatch(/^strongroom[a-z0-9]{1,35}$/);
    expect(settings!.STRONGROOM_HUB).toContain(TOKEN);
  });

  it('reaches the host storage by the addresses that the account has', () => {
    const [settings] = of(resources, 'config').map((config) => properties(config) as Record<string, string>);
    for (const service of ['blob', 'queue', 'table']) {
      const address = `<sthost${TOKEN}.primaryEndpoints.${service}>`;
      expect(settings![`AzureWebJobsStorage__${service}ServiceUri`]).toBe(address);
    }
  });
});

describe('every alert', () => {
  const alerts = of(SNAPSHOTS.alerts!, 'scheduledQueryRules');
  const criterion = (alert: Resource) =>
    (properties(alert).criteria as { allOf: { query: string; dimensions?: { name: string; values: string[] }[] }[] })
      .allOf[0]!;

  it('reaches the operator, about the events of this app', () => {
    expect(alerts).toHaveLength(3);
    const [people] = of(SNAPSHOTS.alerts!, 'actionGroups');
    const [insights] = of(SNAPSHOTS.alerts!, 'components');
    for (const alert of alerts) {
      expect(properties(alert)).toMatchObject({
        enabled: true,
        severity: 1,
        scopes: [insights!.name],
        actions: { actionGroups: [people!.name] },
      });
    }
  });

  it('is bound to a job or rule, except those on an app that runs none', () => {
    for (const alert of alerts) {
      const { query, dimensions } = criterion(alert);
      // What lasts is resolved when it ends, and an event never.
      const lasts = /^custom(?:Events|Metrics) \| where name == "[a-z-]+"$/.test(query);
      expect(properties(alert).autoMitigate).toBe(lasts);
      if (lasts) {
        expect(dimensions).toBeUndefined();
      } else {
        expect(dimensions).toEqual([{ name: 'job', operator: 'Include', values: ['*'] }]);
      }
    }
  });
});

describe('a switch changes what it says, and nothing else:', () => {
  test('alertEmail', () => {
    expect(difference('backup', 'alerts')).toEqual({
      made: [
        'actionGroups ag-strongroom',
        'scheduledQueryRules alert-strongroom-configuration',
        'scheduledQueryRules alert-strongroom-gone',
        'scheduledQueryRules alert-strongroom-runs',
      ],
    });
  });

  test('readTables', () => {
    expect(difference('backup', 'tables')).toEqual({ given: ['source: Storage Table Data Reader (app)'] });
  });

  test('readTags', () => {
    expect(difference('no-tags', 'backup')).toEqual({
      given: ['source: Strongroom tag reader (app)'],
      made: ['role Strongroom tag reader'],
    });
  });

  test('lockVault', () => {
    expect(difference('no-lock', 'backup')).toEqual({ made: ['locks strongroom-vault'] });
  });

  test('restoreToSource', () => {
    expect(difference('backup', 'restore')).toEqual({
      given: ['source: Strongroom restorer (app)'],
      changed: ['role Strongroom restorer properties.permissions'],
    });
  });

  test('pruneIdentity', () => {
    const identity = `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-strongroom-prune-${TOKEN}`;
    expect(difference('backup', 'prune')).toEqual({
      given: ['vault: Strongroom vault pruner (prune identity)'],
      made: ['role Strongroom vault pruner', 'userAssignedIdentities id-strongroom-prune'],
      changed: [
        `sites func-strongroom identity.userAssignedIdentities.${identity}`,
        'config appsettings properties.VAULT_PRUNE__blobServiceUri',
        'config appsettings properties.VAULT_PRUNE__credential',
        'config appsettings properties.VAULT_PRUNE__clientId',
      ],
    });
  });

  test('entraClientId', () => {
    expect(difference('backup', 'entra')).toEqual({
      made: ['config authsettingsV2'],
      changed: [
        'config appsettings properties.STRONGROOM_AUTH',
        'config appsettings properties.OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID',
      ],
    });
    const signIn = SNAPSHOTS.entra!.find((resource) => label(resource) === 'config authsettingsV2')!;
    const clientId = '11111111-2222-3333-4444-555555555555';
    expect(properties(signIn)).toEqual({
      platform: { enabled: true },
      globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' },
      identityProviders: {
        azureActiveDirectory: {
          enabled: true,
          registration: {
            openIdIssuer: expect.stringMatching(/^\[format\('\{0\}\{1\}\/v2\.0', environment\(\)\.authentication\./),
            clientId,
            clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID',
          },
          validation: { allowedAudiences: [clientId, `api://${clientId}`] },
        },
      },
      // No token of a user is kept.
      login: { tokenStore: { enabled: false } },
      httpSettings: { requireHttps: true },
    });
    const settings = properties(SNAPSHOTS.entra!.find((resource) => label(resource) === 'config appsettings')!);
    expect(settings.OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID).toBe(settings.VAULT__clientId);
  });

  const UPLOADS = {
    given: [
      'host storage: Storage Blob Data Contributor (topic)',
      'host storage: Storage Queue Data Message Sender (topic)',
    ],
    made: [
      'containers strongroom-undelivered',
      'eventSubscriptions strongroom-5ozoyq57xudlw',
      'queues strongroom-uploads',
      'systemTopics evgt-strongroom',
    ],
  };

  test('uploadContainers', () => {
    expect(difference('backup', 'uploads')).toEqual(UPLOADS);
  });

  test('uploadTopicName', () => {
    expect(difference('backup', 'uploads-existing-topic')).toEqual({
      ...UPLOADS,
      made: UPLOADS.made.filter((made) => !made.startsWith('systemTopics')),
    });
  });

  test('vaultAccountName', () => {
    expect(difference('backup', 'existing-vault')).toEqual({
      made: ['role Strongroom vault writer'],
      gone: [
        'blobServices default',
        'locks strongroom-vault',
        'role Strongroom vault writer',
        `storageAccounts stvault${TOKEN}`,
      ],
      changed: [
        'config appsettings properties.VAULT__blobServiceUri',
        'config appsettings properties.VAULT__tableServiceUri',
      ],
    });
    const vault = SNAPSHOTS['existing-vault']!.filter(({ scope, name }) => (scope ?? name).includes('rg-myvault'));
    expect(vault.map(kind)).toEqual(['roleDefinitions', 'roleAssignments']);
    expect(vault.every(({ scope, name }) => (scope ?? name).includes('00000000-0000-0000-0000-000000000003'))).toBe(
      true,
    );
  });

  test('customRoles, without which pruneIdentity and restoreToSource have no effect', () => {
    expect(difference('backup', 'built-in-roles')).toEqual({
      given: ['vault: Storage Blob Data Contributor (app)', 'vault: Storage Table Data Contributor (app)'],
      taken: ['source: Strongroom tag reader (app)', 'vault: Strongroom vault writer (app)'],
      gone: ['role Strongroom restorer', 'role Strongroom tag reader', 'role Strongroom vault writer'],
    });
  });

  test('all of them together', () => {
    const { changed, ...rest } = difference('backup', 'everything');
    expect(rest.given).toHaveLength(5);
    expect(rest.taken ?? rest.gone).toBeUndefined();
    expect(changed).toContain('sites func-strongroom properties.functionAppConfig.scaleAndConcurrency.alwaysReady');
    expect(changed).toContain('config appsettings properties.SCAN_JOB');
    const restorer = SNAPSHOTS.everything!.find((role) => label(role) === 'role Strongroom restorer');
    expect(JSON.stringify(restorer)).toContain('tables/entities/write');
  });
});
