import { BlobServiceClient } from '@azure/storage-blob';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  blobServiceIdentity,
  resolveAccount,
  sasProblem,
  secondaryProblem,
  tableServiceProblem,
} from '#config/accounts.ts';
import { parseAccountString } from '#domain/account-string.ts';
import { accountNameIn } from '#domain/service-identity.ts';
import type { SasUse } from '#domain/shared-access-signature.ts';
import type { AccountConnection } from '#storage/account-connection.ts';
import { resolveAccess } from '#storage/azure/account-access.ts';

const KEY = Buffer.alloc(64, 'the canary key that must never be shown to anyone').toString('base64');
const SIG = 'CanarySignature%2Babc%3D';
const NOW = new Date('2026-11-30T12:00:00Z');
const WHOLE = `DefaultEndpointsProtocol=https;AccountName=acct1;AccountKey=${KEY};EndpointSuffix=core.windows.net`;
const sas = (query: string) =>
  `BlobEndpoint=https://acct1.blob.core.windows.net/;SharedAccessSignature=sv=2025-01-05&${query}&sig=${SIG}`;
const ACCOUNT_SAS = 'ss=bt&srt=sco&sp=rwlacut&se=2027-01-01T00:00:00Z';

const problemsOf = (value: string): string[] => {
  const resolved = resolveAccount('VAULT', { VAULT: value }, NOW);
  return 'problems' in resolved ? resolved.problems : [];
};

describe('a connection string with a mistake is refused at the start, with the mistake by name', () => {
  it.each<[string, string, string]>([
    ['in double quotes', `"${WHOLE}"`, 'is in quotes'],
    ['in single quotes', `'${WHOLE}'`, 'is in quotes'],
    ['with one typographic quote', `\u201c${WHOLE}`, 'is in quotes'],
    ['pasted from XML', sas(ACCOUNT_SAS).replaceAll('&', '&amp;'), '"&amp;"'],
    ['with a dot before the suffix', WHOLE.replace('core.windows', '.core.windows'), 'EndpointSuffix'],
    ['with a dot behind the suffix', `${WHOLE}.`, 'EndpointSuffix'],
    ['with a suffix that ends in a number', WHOLE.replace('.net', '.0'), 'EndpointSuffix'],
    ['with a suffix that is a number', WHOLE.replace('core.windows.net', '10.0.0.4'), 'EndpointSuffix'],
    ['with a suffix of another script than it says', WHOLE.replace('core', 'xn--a'), 'EndpointSuffix'],
    ['with a label that is too long', WHOLE.replace('core', 'c'.repeat(64)), 'EndpointSuffix'],
    ['with a suffix that is too long', WHOLE.replace('core', 'core.'.repeat(44)), 'EndpointSuffix'],
    ['with a hyphen at an end', WHOLE.replace('core', '-core'), 'EndpointSuffix'],
    ['with an address that ends in a number', `${WHOLE};BlobEndpoint=https://acct1.blob.core.windows.0`, 'no number'],
    ['with an address of a port too high', `${WHOLE};BlobEndpoint=https://acct1.example.com:99999`, 'a port that'],
    ['with an address with a hyphen', `${WHOLE};BlobEndpoint=https://acct1-.blob.core.windows.net`, 'inner hyphens'],
    ['without a protocol', WHOLE.replace('=https', '='), 'empty DefaultEndpointsProtocol'],
    ['with another protocol', WHOLE.replace('=https', '=ftp'), 'neither https nor http'],
    ['without a key', WHOLE.replace(KEY, ''), 'empty AccountKey'],
    ['cut off', WHOLE.slice(0, 60), 'AccountKey'],
    ['with a part without a name', `acct1;${WHOLE}`, 'without a name'],
    ['with a name twice', `${WHOLE};AccountName=acct2`, 'AccountName twice'],
    ['with an address of tables for blobs', `${WHOLE};BlobEndpoint=https://acct1.table.core.windows.net`, '("table")'],
    ['with an address of a file system', `${WHOLE};BlobEndpoint=https://acct1.dfs.core.windows.net`, '("dfs")'],
    ['with an address of blobs for tables', `${WHOLE};TableEndpoint=https://acct1.blob.core.windows.net`, '("blob")'],
    ['with an empty label', `${WHOLE};BlobEndpoint=https://acct1..blob.core.windows.net`, 'a dot too many'],
    ['with a quote in its address', `${WHOLE};BlobEndpoint=https://acct1".blob.core.windows.net`, 'blob endpoint'],
    ['with a key that is cut off', WHOLE.replace(KEY, KEY.slice(4)), 'AccountKey of 61 bytes'],
    ['with two keys', WHOLE.replace(KEY, KEY.slice(0, -4) + KEY), '(88 characters)'],
    ['with a misspelled suffix', WHOLE.replace('windows', 'window'), 'almost in "core.windows.net"'],
    ['with a misspelled end', WHOLE.replace('.net', '.ne'), 'almost in "core.windows.net"'],
    [
      'with a misspelled address',
      `${WHOLE};BlobEndpoint=https://acct1.blob.core.chinacloudap.cn`,
      'almost in "core.chinacloudapi.cn"',
    ],
    [
      'with a misspelled address of tables',
      `${WHOLE};TableEndpoint=https://acct1.table.core.windwos.net`,
      'almost in "core.windows.net"',
    ],
    ['with an expired signature', sas('ss=b&srt=sco&sp=rl&se=2026-11-30T11:59:59Z'), 'expired at 2026-11-30T11:59:59'],
    ['with a signature that is cut off', sas(ACCOUNT_SAS).replace(`&sig=${SIG}`, ''), 'lacks sig'],
    ['with a signature that is not wholly encoded', sas(ACCOUNT_SAS).replace('%3D', '='), 'sig is not Base64'],
    ['with a signature for queues', sas('ss=q&srt=sco&sp=rl'), '(ss)'],
    ['with a signature without objects', sas('ss=b&srt=sc&sp=rl'), '(srt)'],
    ['with a signature for one blob', sas('sr=b&sp=r'), '(sr=b)'],
    ['with a misspelled name', WHOLE.replace('EndpointSuffix', 'EndpointSufix'), 'unknown name'],
    ['with the name of the setting before it', `VAULT=${WHOLE}`, 'unknown name'],
    ['with an invisible character before it', `\u200b${WHOLE}`, 'not visible'],
    ['with a service in its suffix', WHOLE.replace('core.windows', 'blob.core.windows'), 'EndpointSuffix'],
    ['with a container in its address', `${WHOLE};BlobEndpoint=https://acct1.blob.core.windows.net/a`, 'a path behind'],
    [
      'with an address of another account',
      `${WHOLE};BlobEndpoint=https://acct2.blob.core.windows.net`,
      'another account',
    ],
    [
      'with tables of another account',
      `${WHOLE};TableEndpoint=https://acct2.table.core.windows.net`,
      'another account',
    ],
    [
      'with tables of another account than its blobs',
      sas(`${ACCOUNT_SAS};TableEndpoint=https://acct2.table.core.windows.net;x`),
      'than its blob',
    ],
    ['with a signature that begins tomorrow', sas(`${ACCOUNT_SAS}&st=2026-12-01`), 'not valid before 2026-12-01'],
    ['with a signature that never expires', sas('ss=b&srt=sco&sp=rl'), '(se)'],
    ['with a signature without a readable end', sas('ss=b&srt=sco&sp=rl&se=soon'), '(se) that cannot be read'],
    ['with an end in another form', sas('ss=b&srt=sco&sp=rl&se=31.12.2030'), 'expires (se) that cannot be read'],
    ['with a start in another form', sas(`${ACCOUNT_SAS}&st=31.12.2025`), 'begins (st) that cannot be read'],
    ['with a signature that has two ends', sas(`${ACCOUNT_SAS}&se=2026-01-01`), 'a parameter twice'],
    ['with a signature that is encoded twice', sas(ACCOUNT_SAS).replace('%2B', '%252B'), 'encoded twice'],
    ['with a signature that is not encoded', sas(ACCOUNT_SAS).replace('%2B', '+'), 'not at all'],
    [
      'with a signature for https at an http address',
      sas(`${ACCOUNT_SAS}&spr=https`).replace('https:', 'http:'),
      '(spr)',
    ],
    [
      'that is the address of a signature',
      `https://acct1.blob.core.windows.net/?${ACCOUNT_SAS}&sig=${SIG}`,
      'is an address',
    ],
    ['that the platform did not resolve', '@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/x)', 'Key Vault'],
  ])('%s', (_what, value, problem) => {
    const problems = problemsOf(value);
    expect(problems.join('\n')).toContain(problem);
    for (const each of problems) expect(each).toMatch(/^the app setting "VAULT" /);
    for (const secret of [KEY, SIG, 'Canary']) expect(problems.join('\n')).not.toContain(secret);
  });

  it('and every mistake at once', () => {
    expect(problemsOf(`AccountName=A;AccountKey=x;EndpointSuffix=.x;TableEndpoint=y`)).toHaveLength(4);
    const pasted = `"${sas('ss=q&srt=sco&sp=rl&se=2020-01-01').replaceAll('&', '&amp;')};EndpointSuffix=.x"`;
    expect(
      problemsOf(pasted).map((problem) => /quotes|&amp;|expired|\(ss\)|EndpointSuffix/.exec(problem)?.[0]),
    ).toEqual([...['quotes', '&amp;', 'EndpointSuffix', 'expired', '(ss)']]);
  });

  it('once: an empty part is not missing, too', () => {
    expect(problemsOf(WHOLE.replace(KEY, ''))).toHaveLength(1);
  });

  it('and nothing that works is', () => {
    const key = `AccountName=acct1;AccountKey=${KEY};`;
    for (const works of [
      `${key}QueueEndpoint=https://acct1.queue.core.windows.net/;FileEndpoint=https://acct1.file.core.windows.net/;`,
      `${key}BlobEndpoint=https://acct1-secondary.blob.core.windows.net`,
      `${key}BlobEndpoint=https://acct1.privatelink.blob.core.windows.net/`,
      `${key}BlobEndpoint=https://files.blob.example.com`,
      `${key}EndpointSuffix=core.corp.example`,
      `${key}EndpointSuffix=core.usgovcloudapi.net`,
      `AccountName=acct1;AccountKey=eA==;BlobEndpoint=http://azurite:10000/acct1`,
      `AccountName=acct1;AccountKey=eA==;EndpointSuffix=storage.corp.example`,
      `${key}BlobEndpoint=http://127.0.0.1:10000/acct1`,
      sas('sr=c&si=policy').replace('net/', 'net'),
      sas(`${ACCOUNT_SAS}&st=2026-11-30T12:10:00Z`),
      sas(`${ACCOUNT_SAS}&spr=https`),
    ]) {
      expect(problemsOf(works), works).toEqual([]);
    }
  });
});

test('a signature covers the services that are used', () => {
  const problem = (query: string, use: SasUse) => sasProblem('VAULT', { VAULT: sas(query) }, use) ?? 'none';
  const account = (services: string) => ACCOUNT_SAS.replace('ss=bt', `ss=${services}`);
  const vault: SasUse = { role: 'vault', services: ['blobs'] };
  expect(problem(account('t'), vault)).toContain('blobs (ss)');
  expect(problem(account('b'), vault)).toBe('none');
  const lacking = (right: string, services = 'bt') =>
    problem(account(services).replace('rwlacut', 'rwlacut'.replace(right, '')), vault);
  for (const right of 'rwltau') expect(lacking(right)).toContain(`the permissions ${right} (sp)`);
  for (const right of 'rwlt') expect(lacking(right, 'b')).toContain(`the permissions ${right} (sp)`);
  for (const right of 'au') expect(lacking(right, 'b')).toBe('none');
  const tables: SasUse = { role: 'read', services: ['tables'] };
  expect(problem(account('b'), tables)).toContain('does not cover tables (ss)');
  expect(problem(account('t'), tables)).toBe('none');
  expect(problem('sr=c&si=policy', tables)).toContain('tables (ss)');
  expect(problem('tn=orders&si=policy', tables)).toBe('none');
  const both: SasUse = { role: 'read', services: ['blobs', 'tables'] };
  expect(problem(account('bt'), both)).toBe('none');
  expect(problem(account('t'), both)).toContain('blobs (ss)');
  expect(problem('tn=orders&si=policy', both)).toContain('blobs (ss)');
  const listing: SasUse = { role: 'read', services: ['blobs'], listsContainers: true };
  expect(problem(ACCOUNT_SAS, listing)).toBe('none');
  expect(problem(ACCOUNT_SAS.replace('srt=sco', 'srt=co'), listing)).toContain('the list of containers (srt=s)');
  expect(problem('sr=c&si=policy', listing)).toContain('the list of containers (sr=c)');
  expect(problem('sr=c&si=policy', { ...listing, listsContainers: false })).toBe('none');
});

test('what a signature lacks is named whatever else is wrong, and for a vault with all that it should have', () => {
  const settings = { VAULT: `${sas('ss=b&srt=co&sp=rlwd&se=2027-01-01').replace('.blob.', '.dfs.')};Unknown=x` };
  const use: SasUse = { role: 'vault', services: ['blobs'], listsContainers: true };
  expect(sasProblem('VAULT', settings, use)).toMatch(
    /cover the list of containers \(srt=s\) and the permissions t \(sp\),.*with ss=bt, srt=sco and sp=rwlacut$/,
  );
});

test('every mistake in the settings of an identity is named at once', () => {
  const settings = {
    VAULT__blobServiceUri: 'https://acct1.blob.core.windows.net',
    VAULT__tableServiceUri: 'https://acct2.table.core.windows.net',
    VAULT__accountName: 'acct3',
    VAULT__clientId: 'x',
    VAULT__credential: 'secret',
  };
  const named = (more = {}) => {
    const resolved = resolveAccount('VAULT', { ...settings, ...more }, NOW);
    return 'problems' in resolved ? resolved.problems.map((each) => /"VAULT__(\w+)"/.exec(each)?.[1]) : [];
  };
  expect(named()).toEqual(['tableServiceUri', 'credential', 'accountName', 'clientId']);
  const wrong = { VAULT__tableServiceUri: 'x', VAULT__blobServiceUri: 'y', VAULT__accountName: 'A' };
  expect(named(wrong)).toEqual(['blobServiceUri', 'tableServiceUri', 'credential', 'accountName', 'clientId']);
  const right = {
    VAULT__tableServiceUri: 'https://acct1.table.core.windows.net',
    VAULT__accountName: 'acct1',
    VAULT__clientId: '0a1b2c3d-1111-2222-3333-444455556666',
    VAULT__credential: 'ManagedIdentity',
  };
  expect(named(right)).toEqual([]);
});

test('settings that an account does not have are named, with those that they almost are', () => {
  const problems = (settings: Record<string, string>) => {
    const resolved = resolveAccount('VAULT', settings, NOW);
    return 'problems' in resolved ? resolved.problems : [];
  };
  const uri = 'https://acct1.blob.core.windows.net';
  const settings = { VAULT__blobServiceUri: uri };
  expect(problems({ ...settings, VAULT__queueServiceUri: 'https://acct1.queue.core.windows.net' })).toEqual([]);
  expect(problems({ ...settings, VAULT__tenant: '', VAULTS__tenant: 'x', SOURCE__tenant: 'x' })).toEqual([]);
  expect(problems({ ...settings, VAULT__tenant: 'Canary' })).toEqual([
    'the app setting "VAULT__tenant" is none that an account has; remove it',
  ]);
  expect(problems({ ...settings, VAULT__clientID: 'Canary' })).toEqual([
    expect.stringContaining('"VAULT__clientID" is none that an account has; did you mean "VAULT__clientId"?'),
  ]);
  for (const name of ['VAULT__blobServiceURI', 'vault__blobServiceUri', 'VAULT__blobServicUri']) {
    expect(problems({ [name]: uri })).toEqual([
      expect.stringMatching(
        new RegExp(`no app setting; add .*; "${name}" is set, did you mean "VAULT__blobServiceUri"`),
      ),
    ]);
  }
  expect(problems({ Vault: WHOLE })).toEqual([expect.stringContaining('"Vault" is set, did you mean "VAULT"?')]);
});

test('the secondary region of an account is no vault', () => {
  const byKey = (end: string): AccountConnection => ({
    alias: 'VAULT',
    connectionString: `AccountName=acct1;AccountKey=${KEY};BlobEndpoint=${end}`,
  });
  const byIdentity = (blobServiceUri: string): AccountConnection => ({ alias: 'VAULT', blobServiceUri });
  for (const given of [byKey, byIdentity]) {
    for (const end of [
      'https://acct1-secondary.blob.core.windows.net',
      'https://acct1-secondary.z01.blob.storage.azure.net/',
      'http://127.0.0.1:10000/acct1-secondary',
    ]) {
      expect(secondaryProblem(given(end)), end).toContain('read-only');
    }
    for (const end of ['https://acct1.blob.core.windows.net', 'https://files-secondary.example.com']) {
      expect(secondaryProblem(given(end)), end).toBeUndefined();
    }
  }
});

test('an identity needs the name of its account, which a custom domain does not show', () => {
  const identity = (uri: string, more = {}) => resolveAccount('VAULT', { VAULT__blobServiceUri: uri, ...more }, NOW);
  expect(identity('https://files.example.com')).toMatchObject({
    problems: [expect.stringContaining('add "VAULT__accountName"')],
  });
  expect(identity('https://acct1.dfs.core.windows.net')).toMatchObject({
    problems: [expect.stringContaining('"dfs"')],
  });
  expect(identity('https://acct1.blob.core.window.net')).toMatchObject({
    problems: [expect.stringContaining('almost in "core.windows.net"')],
  });
  expect(identity('https://files.example.com', { VAULT__accountName: 'acct1' })).toMatchObject({
    connection: { accountName: 'acct1' },
  });
  for (const host of [
    'acct1.blob.core.windows.net',
    'acct1-secondary.blob.core.windows.net',
    'acct1.z01.blob.storage.azure.net',
    'acct1.privatelink.blob.core.windows.net',
    'acct1.blob.core.chinacloudapi.cn',
  ]) {
    const resolved = identity(`https://${host}`);
    if (!('connection' in resolved)) throw new Error(`${host} is refused`);
    expect(resolveAccess(resolved.connection).by, host).toMatchObject({ accountName: 'acct1' });
  }
  expect(accountNameIn('http://127.0.0.1:10000/acct1')).toBe('acct1');
});

test('an account without a known table service has no address of tables, and never that of its blobs', () => {
  const parsed = (value: string) => parseAccountString(value);
  const key = `AccountName=acct1;AccountKey=${KEY};BlobEndpoint=`;
  expect(parsed(`${key}http://127.0.0.1:10000/acct1`)).not.toHaveProperty('account.tableEndpoint');
  expect(parsed(`${key}https://files.example.com`)).not.toHaveProperty('account.tableEndpoint');
  expect(parsed(`${key}https://acct1.z01.blob.storage.azure.net`)).toMatchObject({
    account: { tableEndpoint: 'https://acct1.z01.table.storage.azure.net' },
  });
});

const strings = fc.constantFrom(
  WHOLE,
  sas(ACCOUNT_SAS),
  `AccountName=acct1;AccountKey=${KEY};BlobEndpoint=https://acct1.z01.blob.storage.azure.net/`,
  `AccountName=acct1;AccountKey=${KEY};BlobEndpoint=http://127.0.0.1:10000/acct1;TableEndpoint=http://127.0.0.1:1/acct1`,
);
const noise = fc.oneof(
  fc.constantFrom('"', "'", '&amp;', '.', ';', '=', '==', ' ', '\n', '%', '/', '?', '#', '@', ':', 'http://', '\u0000'),
  fc.constantFrom(
    '.0',
    '.0x1',
    '-',
    '.-',
    'xn--',
    'xn--a.',
    '.blob.',
    '1.2.3',
    'a'.repeat(64),
    'a.'.repeat(120),
    '[::1]',
  ),
  fc.string({ maxLength: 3 }),
);
/** Where it is changed, by how much, and what is put there. */
const change = fc.tuple(fc.nat(), fc.nat(6), noise);
const changed = (text: string, [at, cut, inserted]: [number, number, string]) => {
  const start = at % text.length;
  return text.slice(0, start) + inserted + text.slice(start + cut);
};

test('whatever is changed in a connection string, it is parsed or refused, and no secret is shown', () => {
  fc.assert(
    fc.property(strings, change, (text, how) => {
      const value = changed(text, how);
      const problems = problemsOf(value);
      for (const secret of [KEY.slice(4, -8), SIG.slice(3, -4)]) {
        if (value.includes(secret)) expect(problems.join('\n')).not.toContain(secret);
      }
      if (problems.length > 0) return;
      const access = resolveAccess({ alias: 'VAULT', connectionString: value });
      blobServiceIdentity({ alias: 'VAULT', connectionString: value });
      // The parser of the SDK agrees where it takes the string, too: it wants names in their own case.
      let url: string;
      try {
        url = BlobServiceClient.fromConnectionString(value).url;
      } catch {
        return;
      }
      expect(url.replace(/\?.*$/, '').replace(/\/+$/, '')).toBe(access.blobEndpoint);
    }),
    { numRuns: 2000 },
  );
});

test('whatever is changed in the addresses for an identity, they are taken or refused, and what is taken works', () => {
  const addresses = fc.constantFrom(
    'https://acct1.blob.core.windows.net',
    'https://acct1.z01.blob.storage.azure.net/',
    'https://files.example.com',
    'https://acct1.table.core.windows.net/',
  );
  fc.assert(
    fc.property(addresses, change, fc.option(addresses), fc.option(change), (blobs, how, tables, tablesHow) => {
      const resolved = resolveAccount('VAULT', {
        VAULT__blobServiceUri: changed(blobs, how),
        VAULT__tableServiceUri: tables === null || tablesHow === null ? undefined : changed(tables, tablesHow),
        VAULT__accountName: 'acct1',
      });
      if ('problems' in resolved) return;
      const access = resolveAccess(resolved.connection);
      const known = [access.blobEndpoint, access.tableEndpoint].filter((address) => address !== undefined);
      for (const address of known) expect(address).toMatch(/^https:\/\/[^/?#@"]+[^?#@]*$/);
      expect(tableServiceProblem(resolved.connection) === undefined).toBe(access.tableEndpoint !== undefined);
      blobServiceIdentity(resolved.connection);
    }),
    { numRuns: 2000 },
  );
});
