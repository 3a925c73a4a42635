import http from 'node:http';
import { text } from 'node:stream/consumers';
import { ContainerSASPermissions } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { HostDidNotStart } from '../../support/app/host-process.ts';
import { startStrongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { makeContainer } from '../../support/builders/collection.ts';
import { putRaw } from '../../support/builders/hostile-names.ts';

const bed = useTestBed();

/** An answer as it is, to a request with headers that fetch would not send. */
function ask(url: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { headers }, (answer) =>
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject),
    );
    request.on('error', reject).end();
  });
}

test('an image in a web page can make the host ask no storage account', async () => {
  await bed.upload('a', 'a');
  const app = await bed.start();
  await app.run();
  const before = bed.proxy.requests.length;
  for (const path of [
    '/api/health/details',
    '/api/runs',
    '/api/blobs/history?container=data&name=a',
    '/api/restore-points',
  ]) {
    for (const site of ['cross-site', 'same-site']) {
      const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' };
      expect((await ask(app.host.url + path, headers)).status, `${path} ${site}`).toBe(403);
    }
  }
  expect(bed.proxy.requests.length).toBe(before);
});

test('names that rearrange or control a terminal are escapes in every answer, and come back whole', async () => {
  const names = [
    '\u202egnp.exe',
    'a\u2066b',
    'a\u061cb',
    'a\u200bb',
    'x\u{e0041}',
    'b\u2028c',
    '\u009b31m',
    'a\u007fb',
  ];
  const client = await makeContainer(bed.source.connectionString, 'data');
  const address = await client.generateSasUrl({
    permissions: ContainerSASPermissions.parse('cw'),
    expiresOn: new Date(Date.now() + 3_600_000),
  });
  for (const name of names) expect(await putRaw(address, name, 'content'), JSON.stringify(name)).toBe(201);
  const app = await bed.start();
  const { id } = await app.run();
  const history = (name: string) => `/api/blobs/history?container=data&name=${encodeURIComponent(name)}`;
  const paths = [`/api/runs/${id}/outcomes`, `/api/restore-points/${id}/blobs`, ...names.map(history)];
  for (const path of paths) {
    const { status, body } = await ask(app.host.url + path);
    expect(status, path).toBe(200);
    expect(body, path).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  }
  expect((await app.outcomes(id)).map(({ name }) => name).sort()).toEqual([...names].sort());
  const odd = await ask(
    `${app.host.url}/api/jobs/${encodeURIComponent(names[0]!)}/runs?x=${encodeURIComponent('\u202e')}`,
  );
  expect(odd.body).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('a cursor with made-up positions is refused by every list', async () => {
  await bed.upload('a', 'a');
  const app = await bed.start();
  const { id } = await app.run();
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const row = encoded({ nextPartitionKey: 'run', nextRowKey: '0' });
  for (const path of [
    `/api/runs?cursor=${encoded({ VAULT: row })}`,
    `/api/restore-points?cursor=${encoded({ VAULT: row })}`,
    `/api/runs/${id}/outcomes?cursor=0.0`,
    `/api/restore-points/${id}/blobs?cursor=${encoded({ page: 0, row: 0 })}`,
    `/api/blobs/history?container=data&name=a&cursor=${id}`,
  ]) {
    expect(await app.call('GET', path), path).toMatchObject({ status: 400, body: { code: 'cursor-invalid' } });
  }
});

test('a container with a name too long for its backup container is skipped by name, and the run succeeds', async () => {
  const long = `tenant-${'x'.repeat(56)}`;
  await bed.upload('a', 'a', 'tenant-1');
  await bed.upload('a', 'a', long);
  const app = await bed.start({ job: { source: { account: 'SOURCE', containers: ['tenant-*'] } } });
  const report = await app.run();
  expect(report).toMatchObject({
    status: 'succeeded',
    counts: { listed: 1, copied: 1, failed: 0 },
    problems: [{ code: 'container-skipped', container: long, count: 0 }],
  });
  const point = await app.call('GET', `/api/restore-points/${report.id}`);
  expect(point.body).toMatchObject({ containers: 1, lacks: { failed: 0, containers: [long] } });
  expect(await app.call('POST', `/api/runs/${report.id}/retry`)).toMatchObject({ body: { code: 'nothing-to-retry' } });
  expect(await app.restore({ existing: 'overwrite' })).toMatchObject({ status: 'succeeded' });
  expect(await app.verify({ kind: 'quick' })).toMatchObject({ status: 'succeeded' });
});

test('the app does not start with a secret in the place of a name, and shows nothing of it', async () => {
  const secret = 'Hunter2-Pass!word';
  const connection = `DefaultEndpointsProtocol=https;AccountName=real;AccountKey=${Buffer.from(secret).toString('base64')}`;
  const jobs = [
    { destination: { account: 'VAULT', container: '%DBPASS%' } },
    { schedule: '%DBPASS%' },
    { source: { account: '%DBPASS%', containers: ['*'] } },
    { source: { account: connection, containers: ['*'] } },
    { destination: { account: `https://real.example/?sv=1&sig=${secret}`, container: '{container}backup' } },
  ];
  for (const job of jobs) {
    const settings = { source: bed.source.connectionString, vault: bed.vault.connectionString };
    const outcome = await startStrongroom({ ...settings, job, env: { DBPASS: secret } }).catch((error) => error);
    expect(outcome).toBeInstanceOf(HostDidNotStart);
    expect(outcome.output).toContain('jobs[0]');
    expect(outcome.output).not.toMatch(new RegExp(`hunter|Pass.word|${connection.slice(-16)}`, 'i'));
  }
});
