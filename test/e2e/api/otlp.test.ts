import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { METRICS } from '#domain/metrics/metric.ts';
import { parseExposition } from '../../support/app/exposition.ts';
import { useTestBed } from '../../support/app/test-bed.ts';

const bed = useTestBed({ app: { job: { schedule: '0 0 0 1 1 *' } } });

type Attributes = { key: string; value: { stringValue?: string } }[];
interface Sent {
  resourceMetrics: {
    resource: { attributes: Attributes };
    scopeMetrics: {
      metrics: {
        name: string;
        description: string;
        unit: string;
        gauge: { dataPoints: { attributes: Attributes; asDouble: number; timeUnixNano: string }[] };
      }[];
    }[];
  }[];
}

/** A collector that takes OTLP over HTTP. */
const taken: { url: string | undefined; headers: IncomingHttpHeaders; body: Sent }[] = [];
let status = 200;
const collector = createServer(async (request, response) => {
  const body = JSON.parse(String(await buffer(request))) as Sent;
  taken.push({ url: request.url, headers: request.headers, body });
  response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
});

beforeAll(async () => {
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
});
beforeEach(() => {
  taken.length = 0;
  status = 200;
});
afterAll(() => {
  collector.closeAllConnections();
  collector.close();
});

const start = () =>
  bed.start({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=a-secret-key',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=production',
      STRONGROOM_NAME: 'east',
    },
  });

const plain = (attributes: Attributes) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
/** The order of labels says nothing. */
const keyOf = (name: string, labels: object) => `${name} ${JSON.stringify(Object.entries(labels).sort())}`;

test('a collector gets the metrics that a scrape shows, once', async () => {
  const app = await start();
  // Without a container, it fails: a condition has labels that are empty.
  await app.ended(await app.start());
  expect((await app.call('POST', '/admin/functions/send_metrics', {})).status).toBe(202);
  await expect.poll(() => taken.length, { timeout: 20_000 }).toBe(1);
  const [{ url, headers, body }] = taken as [(typeof taken)[number]];
  expect(url).toBe('/v1/metrics');
  expect(headers['x-api-key']).toBe('a-secret-key');
  const [{ resource, scopeMetrics }] = body.resourceMetrics as [Sent['resourceMetrics'][number]];
  expect(plain(resource.attributes)).toMatchObject({
    ...{ 'service.name': 'strongroom', 'service.instance.id': 'east', 'deployment.environment.name': 'production' },
  });
  const { metrics } = scopeMetrics[0]!;
  const sent = metrics.flatMap(({ name, gauge }) =>
    gauge.dataPoints.map((point): [string, number] => [keyOf(name, plain(point.attributes)), point.asDouble]),
  );
  const shown = parseExposition(await (await fetch(`${app.host.url}/api/metrics`)).text());
  const samples = [...shown].flatMap(([name, { samples }]) =>
    samples.map(({ labels, value }): [string, number] => [keyOf(name, labels), value]),
  );
  expect(Object.fromEntries(sent)).toEqual(Object.fromEntries(samples));
  expect(sent).toHaveLength(samples.length);
  expect(shown.get('strongroom_condition')!.samples).toHaveLength(1);
  for (const { name, description, unit } of metrics) {
    expect(description).toBe(METRICS[name as keyof typeof METRICS].help);
    expect(unit, name).toBe(/_seconds$/.test(name) ? 's' : /_bytes$/.test(name) ? 'By' : '1');
  }
  const nanoseconds = BigInt(metrics[0]!.gauge.dataPoints[0]!.timeUnixNano);
  expect(Math.abs(Number(nanoseconds / 1_000_000n) - Date.now())).toBeLessThan(60_000);
});

test('a collector that refuses is in the log, without its address and without the key', async () => {
  status = 401;
  const app = await start();
  await app.call('POST', '/admin/functions/send_metrics', {});
  expect(await app.host.printed(/metrics-not-sent \{"message":"HTTP 401"\}/, 20_000)).toBeTruthy();
  expect(app.host.output()).not.toContain('a-secret-key');
  expect(app.host.output()).not.toMatch(/metrics-not-sent.*127\.0\.0\.1/);
});

test('without a collector, there is no timer, and nothing is sent', async () => {
  const app = await bed.start();
  expect((await app.call('POST', '/admin/functions/send_metrics', {})).status).toBe(404);
});
