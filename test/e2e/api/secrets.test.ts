import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  BlobServiceClient,
  generateAccountSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { HostDidNotStart } from '../../support/app/host-process.ts';
import { startStrongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import type { TestAccount } from '../../support/azurite/accounts.ts';
import { makeContainer } from '../../support/builders/collection.ts';
import { isCopy, type ProxiedRequest } from '../../support/faults/fault-proxy.ts';

const bed = useTestBed({ app: { limits: { retryDelayMs: 5, copyDeadlineMs: 500 } } });

const isCopyTo = (name: string) => (request: ProxiedRequest) => isCopy(request) && request.path.endsWith(`/${name}`);

/** Forms in which a service may repeat the address of a request, with its signature. */
const SAYINGS: ((address: string) => string)[] = [
  (address) => `Refused: ${address}`,
  (address) => `("${address}", '${address}')`,
  (address) => `<${address.replaceAll('&', '&amp;')}>`,
  (address) => encodeURIComponent(address),
  (address) => encodeURIComponent(encodeURIComponent(address)),
  (address) => JSON.stringify(JSON.stringify({ source: address })),
  (address) => address.slice(address.indexOf('?')),
  (address) => address.slice(address.indexOf('sig=')),
];

const addressIn = ({ headers, url }: ProxiedRequest) => headers['x-ms-copy-source'] ?? url;
const echoed = (request: ProxiedRequest) => SAYINGS.map((say) => say(addressIn(request))).join(' and ');
const escaped = (text: string) => text.replace(/[&<>]/g, (each) => `&#${each.charCodeAt(0)};`);

const refusing =
  (status: number, code: string, say = echoed) =>
  (request: ProxiedRequest) => ({
    status,
    headers: { 'content-type': 'application/xml', ...(code && { 'x-ms-error-code': code }) },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${escaped(say(request))}</Message><AuthenticationErrorDetail>${escaped(`${echoed(request)} ${request.headers.authorization}`)}</AuthenticationErrorDetail></Error>`,
  });

const page = (request: ProxiedRequest) => ({
  status: 500,
  headers: { 'content-type': 'text/html' },
  body: `<html><body>Proxy error for ${echoed(request)}</body></html>`,
});

/** Everything that the app stores or says, each piece with the place where it was found. */
async function everything(ids: string[]): Promise<[string, string][]> {
  const found: [string, string][] = bed.apps.map((app, index) => [`what host ${index} printed`, app.host.output()]);
  for (const name of readdirSync(bed.dataDir, { recursive: true, withFileTypes: true })) {
    if (name.isFile()) found.push([name.name, readFileSync(join(name.parentPath, name.name), 'utf8')]);
  }
  const app = bed.apps.at(-1)!;
  const paths = ['/api/runs', '/api/health/details', '/api/runs?cursor=x', '/api/jobs/none/runs'];
  for (const id of ids) {
    paths.push(`/api/runs/${id}`, `/api/runs/${id}/outcomes`, `/api/runs/${id}/outcomes?status=planned`);
  }
  for (const path of paths) found.push([path, JSON.stringify(await app.call('GET', path))]);
  for (const { connectionString } of [bed.source, bed.vault]) {
    const service = BlobServiceClient.fromConnectionString(connectionString);
    for await (const { name: container } of service.listContainers({ includeMetadata: true })) {
      const client = service.getContainerClient(container);
      const listed = client.listBlobsFlat({ includeMetadata: true, includeSnapshots: true, includeTags: true });
      for await (const { name, metadata, tags, snapshot } of listed) {
        found.push([`${container}/${name}`, JSON.stringify([metadata, tags])]);
        if (container !== 'strongroom' || snapshot) continue;
        const body = await client.getBlobClient(name).downloadToBuffer();
        found.push([`${container}/${name}`, (name.endsWith('.gz') ? gunzipSync(body) : body).toString()]);
      }
    }
    const options = { allowInsecureConnection: true };
    for await (const { name } of TableServiceClient.fromConnectionString(connectionString, options).listTables()) {
      for await (const entity of TableClient.fromConnectionString(connectionString, name!, options).listEntities()) {
        found.push([`table ${name}`, JSON.stringify(entity)]);
      }
    }
  }
  return found;
}

/** A secret in every form in which it may be written. */
function formsOf(secret: string): string[] {
  const plain = decodeURIComponent(secret);
  const once = encodeURIComponent(plain);
  const bytes = Buffer.from(plain);
  return [
    plain,
    once,
    encodeURIComponent(once),
    JSON.stringify(plain).slice(1, -1),
    plain.replaceAll('/', '\\/'),
    plain.replaceAll('+', ' '),
    plain.replaceAll('=', '\\u003d'),
    // Within other text, Base64 begins at any of three places.
    ...[0, 1, 2].map((skip) =>
      bytes
        .subarray(skip)
        .subarray(0, Math.floor((bytes.length - skip) / 3) * 3)
        .toString('base64'),
    ),
    bytes.toString('hex'),
    plain.slice(0, 24),
    plain.slice(-24),
  ];
}

const signaturesIn = (text: string) => [...text.matchAll(/[?&]sig=([^&\s"]+)/g)].map(([, signature]) => signature!);

/** Looks for these secrets, and for those that were seen on the wire. */
async function expectNoSecrets(ids: string[], secrets: string[]): Promise<void> {
  const onTheWire = bed.proxy.requests.flatMap(({ headers, url }) => [
    ...signaturesIn(headers['x-ms-copy-source'] ?? ''),
    ...signaturesIn(url),
    ...(headers.authorization ? [headers.authorization.replace(/^SharedKey [^:]*:/, '')] : []),
  ]);
  // Without signatures on the wire, the test could find nothing.
  expect(
    signaturesIn(bed.proxy.requests.map(({ headers }) => headers['x-ms-copy-source'] ?? '').join('\n')).length,
  ).toBeGreaterThan(0);
  const forms = [...new Set([...onTheWire, ...secrets].flatMap(formsOf))];
  const leaks: string[] = [];
  for (const [place, text] of await everything(ids)) {
    const form = forms.find((each) => text.includes(each));
    if (form === undefined) continue;
    const at = text.indexOf(form);
    leaks.push(`${place}: …${text.slice(Math.max(at - 160, 0), at + form.length)}…`);
  }
  expect(leaks).toEqual([]);
}

const fill = async (names: string[], content = 'content') => {
  const client = await makeContainer(bed.source.connectionString, 'data');
  for (const name of names) await client.getBlockBlobClient(name).upload(content, content.length);
};

/** Makes storage refuse, break off and repeat requests in its answers. */
const misbehave = () => {
  bed.proxy.rules.push(
    { match: isCopyTo('forbidden'), answer: refusing(403, 'AuthenticationFailed') },
    { match: isCopyTo('unreadable'), answer: refusing(403, 'CannotVerifyCopySource') },
    { match: isCopyTo('conflict'), answer: refusing(409, 'SomethingNew') },
    { match: isCopyTo('malformed'), answer: refusing(400, 'InvalidHeaderValue') },
    { match: isCopyTo('nameless'), answer: refusing(418, '') },
    { match: isCopyTo('busy'), answer: refusing(503, 'ServerBusy') },
    { match: isCopyTo('broken'), answer: page },
    { match: isCopyTo('lost'), after: () => 'drop' },
    ...SAYINGS.map((say, index) => ({
      match: isCopyTo(`saying-${index}`),
      answer: refusing(409, 'SomethingNew', (request) => say(addressIn(request))),
    })),
  );
};

const NAMES = ['forbidden', 'unreadable', 'conflict', 'malformed', 'nameless', 'busy', 'broken', 'lost', 'fine'];
NAMES.push(...SAYINGS.map((_, index) => `saying-${index}`));

test('I9: no key or signature is stored or shown when a service echoes requests in its answers', async () => {
  await fill(NAMES);
  misbehave();
  const app = await bed.start();
  const report = await app.run();
  expect(report.counts.failed).toBeGreaterThanOrEqual(6);
  const retry = await app.retry(report.id);
  await expectNoSecrets([report.id, retry.id], [bed.source.key, bed.vault.key]);
});

test('I9: no key or signature is stored or shown when a failed copy describes its source', async () => {
  await fill(['failing', 'hanging', 'fine']);
  const described = (request: ProxiedRequest) => {
    const started = bed.proxy.requests.findLast((each) => isCopy(each) && each.path === request.path);
    return started ? echoed(started) : '';
  };
  const look = (name: string, status: string) => ({
    match: (request: ProxiedRequest) => request.method === 'HEAD' && request.path.endsWith(`/${name}`),
    after: (
      request: ProxiedRequest,
      response: { status: number; headers: Record<string, string>; body: Buffer | string },
    ) =>
      response.status === 200
        ? {
            ...response,
            headers: {
              ...response.headers,
              'x-ms-copy-status': status,
              'x-ms-copy-status-description': described(request),
            },
          }
        : response,
  });
  bed.proxy.rules.push(
    {
      match: (request) => isCopy(request) && !('x-ms-requires-sync' in request.headers) && !request.query.has('comp'),
      after: (_, response) => ({ ...response, headers: { ...response.headers, 'x-ms-copy-status': 'pending' } }),
    },
    // Blocks fail, too: then the description is all that the app can report.
    { match: ({ query }) => query.get('comp') === 'block', answer: refusing(409, 'SomethingNew') },
    look('failing', 'failed'),
    look('hanging', 'pending'),
    { match: ({ query }) => query.get('comp') === 'copy', answer: refusing(409, 'SomethingNew') },
  );
  // The service alone can copy an append blob: there is no other method.
  const client = await makeContainer(bed.source.connectionString, 'data');
  await client.getAppendBlobClient('failing').deleteIfExists();
  await client.getAppendBlobClient('failing').create();
  await client.getAppendBlobClient('failing').appendBlock('content', 7);
  const app = await bed.start({ job: { method: 'async' } });
  const report = await app.run();
  const failed = await app.outcomes(report.id, 'status=failed');
  expect(failed.map(({ name }) => name)).toContain('failing');
  await expectNoSecrets([report.id], [bed.source.key, bed.vault.key]);
});

test('I9: no signature is stored or shown when the accounts are configured by signatures', async () => {
  const sasOf = (account: TestAccount) =>
    generateAccountSASQueryParameters(
      {
        services: AccountSASServices.parse('btqf').toString(),
        resourceTypes: AccountSASResourceTypes.parse('sco').toString(),
        permissions: AccountSASPermissions.parse('rwdlacuptf'),
        startsOn: new Date(Date.now() - 60_000),
        expiresOn: new Date(Date.now() + 3_600_000),
        protocol: SASProtocol.HttpsAndHttp,
      },
      new StorageSharedKeyCredential(account.name, account.key),
    ).toString();
  const table = (account: TestAccount) => /TableEndpoint=([^;]*)/.exec(account.connectionString)?.[1];
  const bySas = (account: TestAccount) =>
    `BlobEndpoint=${bed.proxy.url}/${account.name};TableEndpoint=${table(account)};SharedAccessSignature=${sasOf(account)}`;
  const [from, to] = [bySas(bed.source), bySas(bed.vault)];
  await fill(NAMES);
  misbehave();
  bed.proxy.rules.push({
    match: ({ method, path }) => method === 'PUT' && path.includes('/progress/'),
    answer: refusing(403, 'AuthorizationFailure'),
  });
  let app = await bed.start({ source: from, vault: to });
  const report = await app.run();
  expect(report.counts.failed).toBeGreaterThanOrEqual(6);
  // The listing is refused, and the refusal repeats the request.
  bed.proxy.rules.length = 0;
  bed.proxy.rules.push({
    match: ({ path, query }) => path.endsWith(`/${bed.source.name}/data`) && query.get('comp') === 'list',
    answer: refusing(403, 'AuthorizationFailure'),
  });
  const refused = await app.run();
  expect(refused.status).toBe('failed');
  bed.proxy.rules.length = 0;
  bed.slowCopies(300);
  const killed = await app.start();
  await app.until(killed, ({ counts }) => counts.listed > 0);
  await app.host.kill();
  bed.proxy.rules.length = 0;
  app = await bed.start({ source: from, vault: to });
  expect((await app.ended(killed)).status).toBe('succeeded');
  await expectNoSecrets(
    [report.id, refused.id, killed],
    [from, to].flatMap(signaturesIn).concat(bed.source.key, bed.vault.key),
  );
});

test('I9: a host that refuses a malformed connection string does not print its secrets', async () => {
  const key = bed.source.key;
  const sas = `sv=2025-01-05&ss=b&sig=${encodeURIComponent(bed.vault.key)}`;
  const malformed = [
    `AccountName=${bed.source.name};AccountKey=${key}!`,
    `AccountName=${bed.source.name};AccountKey:${key}`,
    `BlobEndpoint=https://u:${key}@host/?${sas};SharedAccessSignature=${sas}`,
    key,
  ];
  await Promise.all(
    malformed.map(async (connection, index) => {
      const failure: unknown = await startStrongroom({
        source: connection,
        vault: bed.vault.connectionString,
        dataDir: join(bed.dataDir, String(index)),
      }).then(
        (app) => bed.apps.push(app),
        (error) => error,
      );
      expect(failure, connection.slice(0, 30)).toBeInstanceOf(HostDidNotStart);
      const { exitCode, output } = failure as HostDidNotStart;
      expect([exitCode, output]).toEqual([2, expect.stringContaining('SOURCE')]);
      for (const form of [key, bed.vault.key].flatMap(formsOf)) expect(output.includes(form)).toBe(false);
    }),
  );
});
