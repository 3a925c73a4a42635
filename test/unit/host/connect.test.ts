import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { connectBlobs, connectQueues } from '../../../host/storage/connect.ts';

test('asks storage for a version that all clouds know, whatever the SDK knows', async () => {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers);
    response.setHeader('content-type', 'application/xml');
    response.end('<StorageServiceProperties/>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/acct`;
  const endpoints = `BlobEndpoint=${url};QueueEndpoint=${url}`;
  vi.stubEnv('BY_KEY', `DefaultEndpointsProtocol=http;AccountName=acct;AccountKey=a2V5;${endpoints}`);
  vi.stubEnv('BY_SAS', `${endpoints};SharedAccessSignature=sv=2020-02-10&sig=x`);
  for (const connection of ['BY_KEY', 'BY_SAS']) {
    await (await connectBlobs(connection, 'a test')).getProperties();
    await (await connectQueues(connection, 'a test')).getProperties();
  }
  expect(asked.map((headers) => headers['x-ms-version'])).toEqual(Array(4).fill('2021-12-02'));
  expect(asked.map(({ authorization }) => authorization?.split(' ')[0])).toEqual([
    ...['SharedKey', 'SharedKey'],
    ...[undefined, undefined],
  ]);
  vi.unstubAllEnvs();
});
