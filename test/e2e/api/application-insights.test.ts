import { once } from 'node:events';
import { rmSync } from 'node:fs';
import http, { createServer } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { copyApp, serveApp } from '../../support/app/served-app.ts';

interface Item {
  data: { baseType: string; baseData: { name?: string; properties?: Record<string, string> } };
}

/** The library sends telemetry to https only, and a test has no certificate: such requests arrive without TLS. */
function withoutTls(): void {
  const { request } = https;
  https.request = ((options: https.RequestOptions, listener?: (response: http.IncomingMessage) => void) =>
    http.request({ ...options, protocol: 'http:', agent: undefined }, listener)) as typeof request;
  onTestFinished(() => {
    https.request = request;
  });
}

/** A service that takes telemetry. */
async function collector() {
  const items: Item[] = [];
  const paths = new Set<string>();
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const text = String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    paths.add(request.url ?? '');
    if (request.url?.endsWith('/track')) items.push(...(JSON.parse(text) as Item[]));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ itemsReceived: items.length, itemsAccepted: items.length, errors: [] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { items, paths, url, stop: () => server.close() };
}

test('Application Insights gets each event once, with its level and its invocation', async () => {
  withoutTls();
  const service = await collector();
  const app = copyApp();
  const served = await serveApp(
    app,
    {
      APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=${service.url}/`,
      APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true',
      // The library knows this setting, too, and must send nothing there: metrics go there by a sender of their own.
      OTEL_EXPORTER_OTLP_ENDPOINT: service.url.replace('https:', 'http:'),
    },
    tmpdir,
  );
  expect((await fetch(`${served.url}/api/health`)).status).toBe(503);
  await served.stop();
  expect(service.items.map(({ data }) => [data.baseType, data.baseData.name])).toEqual([
    ['EventData', 'strongroom-misconfigured'],
  ]);
  expect([...service.paths].filter((path) => !path.endsWith('/track'))).toEqual([]);
  expect(service.items[0]!.data.baseData.properties).toMatchObject({
    level: 'error',
    invocation: expect.stringMatching(/^[\da-f-]{36}$/),
    message: expect.stringContaining('this file does not exist'),
  });
  service.stop();
  rmSync(app, { recursive: true, force: true });
});
