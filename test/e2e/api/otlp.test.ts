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

interface Traced {
  traceId: string;
  spanId: string;
  attributes: Attributes;
}
type SpanSent = Traced & { name: string; parentSpanId?: string; traceState?: string };
type LogSent = Traced & { eventName: string };
interface Batch {
  resourceSpans?: { scopeSpans: { spans: SpanSent[] }[] }[];
  resourceLogs?: { scopeLogs: { logRecords: LogSent[] }[] }[];
}

/** A collector that takes OTLP over HTTP. */
const requests: { url: string | undefined; headers: IncomingHttpHeaders; body: unknown }[] = [];
const takenAt = <Body>(path: string) =>
  requests.filter(({ url }) => url === path) as { url: string; headers: IncomingHttpHeaders; body: Body }[];
const spansTaken = () =>
  takenAt<Batch>('/v1/traces').flatMap(({ body }) => body.resourceSpans![0]!.scopeSpans.flatMap(({ spans }) => spans));
const logsTaken = () =>
  takenAt<Batch>('/v1/logs').flatMap(({ body }) => body.resourceLogs![0]!.scopeLogs.flatMap((each) => each.logRecords));
let status = 200;
const collector = createServer(async (request, response) => {
  const body = JSON.parse(String(await buffer(request))) as unknown;
  requests.push({ url: request.url, headers: request.headers, body });
  response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
});

beforeAll(async () => {
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
});
beforeEach(() => {
  requests.length = 0;
  status = 200;
});
afterAll(() => {
  collector.closeAllConnections();
  collector.close();
});

const start = (options: Parameters<typeof bed.start>[0] = {}) =>
  bed.start({
    ...options,
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
  await expect.poll(() => takenAt('/v1/metrics').length, { timeout: 20_000 }).toBe(1);
  const { headers, body } = takenAt<Sent>('/v1/metrics')[0]!;
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
  // That was an event, which the collector refuses, too.
  expect(await app.host.printed(/telemetry-not-sent \{"signal":"logs","message":"HTTP 401"\}/, 20_000)).toBeTruthy();
  expect(app.host.output()).not.toMatch(/-not-sent.*127\.0\.0\.1/);
});

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

test('a run, its steps and the run that follows are in the trace of their caller, also after a crash', async () => {
  await bed.fill(60);
  const hurry = bed.slowCopies(200);
  const options = { job: { verify: { afterRun: 'quick' } }, limits: { sliceBlobs: 20, chunkBlobs: 10 } };
  let app = await start(options);
  const answer = await fetch(`${app.host.url}/api/jobs/nightly/runs`, {
    method: 'POST',
    headers: { traceparent: `00-${TRACE}-${CALLER}-00`, tracestate: 'vendor=1' },
  });
  const { id } = (await answer.json()) as { id: string };
  await app.until(id, ({ counts }) => counts.copied > 0);
  await app.host.kill();
  hurry();
  app = await start({ ...options, twice: 'first' });
  expect(await app.ended(id)).toMatchObject({ status: 'succeeded', trace: TRACE });
  const next = await follower(app, id);
  expect(await app.ended(next)).toMatchObject({ status: 'succeeded', trace: TRACE, follows: id });
  const spansOf = (run: string) => spansTaken().filter(({ attributes }) => plain(attributes).run === run);
  const spanOf = (run: string) => spansOf(run).find(({ name }) => name === 'strongroom.run');
  // It sends what is left before it ends.
  await app.host.stop();
  expect(spanOf(next)).toBeTruthy();
  expect(new Set(spansTaken().map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  expect(spanOf(id)).toMatchObject({ parentSpanId: CALLER, traceState: 'vendor=1' });
  expect(spanOf(next)!.parentSpanId).toBe(spanOf(id)!.spanId);
  const steps = spansOf(id).filter(({ name }) => name !== 'strongroom.run');
  // What the killed process had not sent yet is lost.
  expect(steps.map(({ name }) => name)).toContain('strongroom.publishRun');
  const known = new Set(spansTaken().map(({ spanId }) => spanId));
  expect(steps.filter(({ parentSpanId }) => !known.has(parentSpanId!))).toEqual([]);
  const events = () => logsTaken().filter(({ eventName }) => /run-started|run-finished|chain-head/.test(eventName));
  expect(new Set(events().map(({ eventName }) => eventName)).size).toBe(3);
  expect(new Set(events().map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  const finished = events().find(
    ({ eventName, attributes }) => /finished/.test(eventName) && plain(attributes).run === id,
  );
  expect(finished!.spanId).toBe(spanOf(id)!.spanId);
});

async function follower(app: Awaited<ReturnType<typeof start>>, id: string): Promise<string> {
  let found: { id: string } | undefined;
  await expect
    .poll(
      async () => {
        const { body } = await app.call('GET', '/api/runs?job=nightly');
        found = (body.runs as unknown as { id: string; follows?: string }[]).find(({ follows }) => follows === id);
        return found;
      },
      { timeout: 20_000 },
    )
    .toBeTruthy();
  return found!.id;
}

test('without a collector, there is no timer, and nothing is sent', async () => {
  const app = await bed.start();
  expect((await app.call('POST', '/admin/functions/send_metrics', {})).status).toBe(404);
});
