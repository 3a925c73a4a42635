import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DROP, type FaultProxy, startFaultProxy } from '../../support/faults/fault-proxy.ts';
import { FAULTS, type FaultContext, LIES, STORMS } from '../../support/faults/faults.ts';
import { storageOperation } from '../../support/faults/storage-operation.ts';

const LISTING =
  '<?xml version="1.0"?><EnumerationResults><Blobs>' +
  ['a', 'b', 'c'].map((name) => `<Blob><Name>${name}</Name><Content-MD5>x</Content-MD5></Blob>`).join('') +
  '</Blobs><NextMarker/></EnumerationResults>';

let server: http.Server;
let proxy: FaultProxy;
let reached: string[];

beforeEach(async () => {
  reached = [];
  server = http.createServer((request, response) => {
    reached.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'application/xml', 'last-modified': new Date(0).toUTCString() });
    response.end(LISTING);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  proxy = await startFaultProxy(address, { tables: address });
});

afterEach(async () => {
  await proxy.stop();
  server.closeAllConnections();
  server.close();
});

const context: FaultContext = {
  requestMs: 20,
  random: () => 0,
  overwriteSource: async () => void reached.push('overwritten'),
  deleteSource: async () => void reached.push('deleted'),
  addRule: (rule) => proxy.rules.unshift(rule),
};
const letLoose = (name: string) => {
  const fault = [...FAULTS, ...LIES].find((each) => each.name === name)!;
  proxy.rules.push({ match: () => true, times: fault.times ?? 1, ...fault.strike(context) });
};
const list = async (marker = '') => {
  const response = await fetch(`${proxy.url}/source/data?restype=container&comp=list${marker && `&marker=${marker}`}`);
  return response.text();
};
const names = (text: string) => [...text.matchAll(/<Name>(.)</g)].map(([, name]) => name);
const markerIn = (text: string) => /<NextMarker>([^<]+)</.exec(text)?.[1];

test.each([
  ['short-page', ['a'], ['b', 'c']],
  ['empty-page', [], ['a', 'b', 'c']],
])('%s: the rest of a cut listing follows under its marker, and nothing is lost', async (fault, first, rest) => {
  letLoose(fault);
  const page = await list();
  expect(names(page)).toEqual(first);
  const marker = markerIn(page);
  expect(marker).toBeTruthy();
  for (let time = 0; time < 2; time++) {
    const next = await list(marker);
    expect(names(next)).toEqual(rest);
    expect(markerIn(next)).toBeUndefined();
  }
});

test('a forgetful listing lacks its last item and looks whole', async () => {
  letLoose('forgetful');
  const text = await list();
  expect(names(text)).toEqual(['a', 'b']);
  expect(text).toContain('</EnumerationResults>');
});

test('an answer that is cut ends the connection; one that is shortened looks whole', async () => {
  letLoose('cut-answer');
  await expect(list()).rejects.toThrow();
  letLoose('shortened-answer');
  const text = await list();
  expect(LISTING.startsWith(text)).toBe(true);
  expect(text.length).toBe(Math.floor(LISTING.length / 2));
});

test.each([
  ['reset', 0],
  ['stall', 0],
  ['lost-answer', 1],
])('%s: the client gets no answer, and the request reaches the service %i times', async (fault, times) => {
  letLoose(fault);
  await expect(list()).rejects.toThrow();
  expect(reached).toHaveLength(times);
  expect(proxy.requests[0]?.received).toBeUndefined();
  expect(proxy.requests[0]?.served?.status).toBe(times === 1 ? 200 : undefined);
  expect(names(await list())).toEqual(['a', 'b', 'c']);
});

test('a late request reaches the service after every client has stopped waiting', async () => {
  letLoose('late');
  const began = performance.now();
  await list();
  expect(performance.now() - began).toBeGreaterThan(300);
  expect(reached).toHaveLength(1);
});

test('a signature that has expired is refused until another one is sent', async () => {
  letLoose('expired-sas');
  const copy = async (signature: string) =>
    (
      await fetch(`${proxy.url}/vault/b/a`, {
        method: 'PUT',
        headers: { 'x-ms-copy-source': `http://h/s?sig=${signature}` },
      })
    ).status;
  expect([await copy('one'), await copy('one'), await copy('two'), await copy('one')]).toEqual([403, 403, 200, 403]);
});

test('the source changes before the request is passed on', async () => {
  letLoose('source-overwritten');
  await list();
  expect(reached[0]).toBe('overwritten');
});

test('a clock that is ahead moves every time in the answers', async () => {
  const storm = STORMS.find(({ name }) => name === 'source-clock-ahead')!;
  const strike = storm.strike(context, (request) => storageOperation(request, 'source').side);
  proxy.rules.push({ ...strike, match: (request) => strike.match?.(request) ?? true });
  const url = `${proxy.url}/source/data`;
  expect((await fetch(url)).headers.get('last-modified')).toBe(new Date(3_600_000).toUTCString());
  expect((await fetch(url.replace('/source', '/vault'))).headers.get('last-modified')).toBe(new Date(0).toUTCString());
});

test('tables have an address of their own in the connection string', async () => {
  const connectionString = 'AccountName=vault;BlobEndpoint=http://x/vault;TableEndpoint=http://y/vault;';
  const through = proxy.connectionString({ name: 'vault', connectionString });
  const tables = /TableEndpoint=([^;]+)/.exec(through)?.[1] ?? '';
  expect(tables).not.toContain(proxy.url);
  proxy.rules.push({ match: ({ service }) => service === 'table', answer: () => DROP });
  await expect(fetch(`${tables}/Tables`)).rejects.toThrow();
  expect(names(await list())).toHaveLength(3);
});

test('layers lie behind the rules, the first one outermost', async () => {
  const order: string[] = [];
  for (const name of ['outer', 'inner']) {
    proxy.layers.push(async (_, pass) => {
      order.push(name);
      return pass();
    });
  }
  proxy.rules.push({ match: () => true, times: 1, answer: () => ({ status: 503, headers: {}, body: '' }) });
  await list();
  expect(order).toEqual([]);
  await list();
  expect(order).toEqual(['outer', 'inner']);
});
