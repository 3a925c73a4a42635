import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { sample } from '#domain/metrics/metric.ts';
import { connectOtlp } from '#telemetry/otlp.ts';
import type { Span } from '#telemetry/telemetry.ts';

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A connection to the collector at this address, and what it said of failures. */
function connected(address: string, timeout = 10_000) {
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', address);
  vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', String(timeout));
  vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-api-key=a-secret-key');
  onTestFinished(() => void vi.unstubAllEnvs());
  const noticed: string[] = [];
  const signals = new Set(['metrics', 'traces', 'logs'] as const);
  const { sendSamples, spans, events } = connectOtlp(signals, { version: '1', instance: 'east' }, (...all) =>
    noticed.push(all.join(': ')),
  );
  return { sendSamples: sendSamples!, spans: spans!, events: events!, noticed };
}

const PLACE = { id: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' };
const SPAN: Span = {
  place: { ...PLACE, parent: 'aaaaaaaaaaaaaaaa', state: 'vendor=1' },
  name: 'strongroom.run',
  start: new Date('2026-11-21T00:00:00.500Z'),
  end: new Date('2026-11-21T00:01:00Z'),
  attributes: { job: 'nightly', failed: 2 },
  error: 'throttled',
};

interface Metric {
  name: string;
  unit: string;
  gauge: { dataPoints: { attributes: { key: string }[]; timeUnixNano: string; asDouble: number }[] };
}

interface Body {
  resourceSpans?: { resource: { attributes: unknown[] }; scopeSpans: { spans: object[] }[] }[];
  resourceMetrics?: { scopeMetrics: { metrics: Metric[] }[] }[];
  resourceLogs?: { scopeLogs: { logRecords: object[] }[] }[];
}

test('a collector gets spans and events as OTLP has them', async () => {
  const taken: { url: string | undefined; key: unknown; body: Body }[] = [];
  const { spans, events, noticed } = connected(
    await listening(async (request, response) => {
      const body = JSON.parse(String(await buffer(request))) as Body;
      taken.push({ url: request.url, key: request.headers['x-api-key'], body });
      response.end('{}');
    }),
  );
  spans.span(SPAN);
  events.event('run-finished', { level: 'warn', trace: PLACE.id, job: 'nightly' }, { failed: 2 }, PLACE);
  events.event('histories-purged', { level: 'warn' }, {});
  events.exception(Object.assign(new Error('out of order'), { stack: 'at line 1' }), { activity: 'a' }, PLACE);
  await Promise.all([spans.flush(), events.flush()]);
  expect(noticed).toEqual([]);
  expect(taken.map(({ url, key }) => [url, key]).sort()).toEqual([
    ['/v1/logs', 'a-secret-key'],
    ['/v1/traces', 'a-secret-key'],
  ]);
  const { resource, scopeSpans } = taken.find(({ url }) => url === '/v1/traces')!.body.resourceSpans![0]!;
  expect(resource.attributes).toContainEqual({ key: 'service.instance.id', value: { stringValue: 'east' } });
  expect(scopeSpans[0]!.spans).toEqual([
    expect.objectContaining({
      ...{ traceId: PLACE.id, spanId: PLACE.span, parentSpanId: 'aaaaaaaaaaaaaaaa', traceState: 'vendor=1' },
      name: 'strongroom.run',
      startTimeUnixNano: `${BigInt(SPAN.start.getTime()) * 1_000_000n}`,
      endTimeUnixNano: `${BigInt(SPAN.end.getTime()) * 1_000_000n}`,
      attributes: [
        { key: 'job', value: { stringValue: 'nightly' } },
        { key: 'failed', value: { intValue: 2 } },
      ],
      status: { code: 2, message: 'throttled' },
    }),
  ]);
  const { logRecords } = taken.find(({ url }) => url === '/v1/logs')!.body.resourceLogs![0]!.scopeLogs[0]!;
  expect(logRecords).toEqual([
    expect.objectContaining({
      ...{ traceId: PLACE.id, spanId: PLACE.span, severityNumber: 13, eventName: 'strongroom.run-finished' },
      body: { stringValue: 'run-finished' },
      attributes: [
        { key: 'job', value: { stringValue: 'nightly' } },
        { key: 'failed', value: { intValue: 2 } },
      ],
    }),
    expect.not.objectContaining({ traceId: expect.stringMatching(/[1-9a-f]/) }),
    expect.objectContaining({
      ...{ traceId: PLACE.id, severityNumber: 17, eventName: 'strongroom.exception' },
      attributes: expect.arrayContaining([{ key: 'exception.stacktrace', value: { stringValue: 'at line 1' } }]),
    }),
  ]);
});

const SAMPLES = [
  sample('strongroom_last_run_duration_seconds', { job_name: 'nightly', kind: 'backup' }, 2.5),
  sample('strongroom_vault_bytes', { account: 'VAULT' }, 7),
  sample(
    'strongroom_condition',
    { ...{ id: 'a', condition: 'failed', severity: 'error' }, job_name: 'nightly', account: '', channel: '' },
    1,
  ),
];

test('a collector gets metrics with their units, and without labels that are empty', async () => {
  const bodies: Body[] = [];
  const { sendSamples } = connected(
    await listening(async (request, response) => {
      bodies.push(JSON.parse(String(await buffer(request))) as Body);
      response.end('{}');
    }),
  );
  await sendSamples(SAMPLES, SPAN.start);
  const { metrics } = bodies[0]!.resourceMetrics![0]!.scopeMetrics[0]!;
  expect(metrics.map(({ name, unit }) => [name, unit])).toEqual([
    ['strongroom_last_run_duration_seconds', 's'],
    ['strongroom_vault_bytes', 'By'],
    ['strongroom_condition', '1'],
  ]);
  const points = metrics.map(({ gauge }) => gauge.dataPoints[0]!);
  expect(points.map(({ asDouble }) => asDouble)).toEqual([2.5, 7, 1]);
  expect(points[0]!.timeUnixNano).toBe(`${BigInt(SPAN.start.getTime()) * 1_000_000n}`);
  expect(points[2]!.attributes.map(({ key }) => key)).toEqual(['id', 'condition', 'severity', 'job_name']);
});

test.each([401, 307])(
  'metrics that a collector answers with %i fail without its address, and go nowhere else',
  async (status) => {
    const elsewhere = vi.fn<RequestListener>((_, response) => void response.end());
    const location = await listening(elsewhere);
    const { sendSamples } = connected(
      await listening((_, response) => void response.writeHead(status, { location }).end()),
    );
    await expect(sendSamples(SAMPLES, SPAN.start)).rejects.toThrow(new RegExp(`^HTTP ${status}$`));
    expect(elsewhere).not.toHaveBeenCalled();
  },
);

test('a collector that refuses is named once, until it takes something again', async () => {
  let status = 401;
  const { spans, noticed } = connected(
    await listening(async (request, response) => {
      await buffer(request);
      response.writeHead(status).end();
    }),
  );
  for (const next of [401, 401, 200, 403]) {
    status = next;
    spans.span(SPAN);
    await spans.flush();
  }
  expect(noticed).toEqual(['traces: HTTP 401', 'traces: HTTP 403']);
});

test('a collector that redirects is not followed: what it is sent has keys', async () => {
  const elsewhere = vi.fn<RequestListener>((_, response) => void response.end());
  const location = await listening(elsewhere);
  const { spans, events, noticed } = connected(
    await listening((_, response) => void response.writeHead(307, { location }).end()),
  );
  spans.span(SPAN);
  events.event('run-finished', {}, {}, PLACE);
  await Promise.all([spans.flush(), events.flush()]);
  expect(noticed.sort()).toEqual(['logs: HTTP 307', 'traces: HTTP 307']);
  expect(elsewhere).not.toHaveBeenCalled();
});

test('a collector that is not there is named without its address', async () => {
  const { sendSamples, spans, events, noticed } = connected('http://127.0.0.1:1', 300);
  await expect(sendSamples(SAMPLES, SPAN.start)).rejects.toThrow(/^no connection \(ECONNREFUSED\)$/);
  spans.span(SPAN);
  events.event('run-finished', {}, {}, PLACE);
  await Promise.all([spans.flush(), events.flush()]);
  expect(noticed.sort()).toEqual(['logs: no connection (ECONNREFUSED)', 'traces: no connection (ECONNREFUSED)']);
});

test('a collector that hangs is named without its address, too', async () => {
  const { sendSamples } = connected(await listening(() => {}), 300);
  await expect(sendSamples(SAMPLES, SPAN.start)).rejects.toThrow(/^no connection, or no answer in time$/);
});

test('a collector that hangs takes no time from what is reported, and two seconds from the end of the app', async () => {
  const { spans, events } = connected(await listening(() => {}));
  // It loses what does not fit, so the log has everything.
  expect(events.isLossy).toBe(true);
  const began = performance.now();
  for (let each = 0; each < 3000; each++) {
    spans.span(SPAN);
    events.event('run-finished', {}, {}, PLACE);
  }
  expect(performance.now() - began).toBeLessThan(1500);
  await Promise.all([spans.flush(), events.flush()]);
  expect(performance.now() - began).toBeLessThan(5000);
});
