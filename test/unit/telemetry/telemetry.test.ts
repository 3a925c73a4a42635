import { expect, test } from 'vitest';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { traceOfRun } from '#domain/run/trace.ts';
import { type Span, Telemetry, type TelemetrySink } from '#telemetry/telemetry.ts';

/** What a telemetry wrote: lines of the log by level, and events of the sink. */
function recorded({ connected }: { connected: boolean }) {
  const lines: [level: string, line: string][] = [];
  const events: [name: string, level: string | undefined][] = [];
  const sink: TelemetrySink = {
    event: (name, { level }) => events.push([name, level]),
    metric() {},
    exception() {},
    flush: async () => {},
  };
  const telemetry = new Telemetry((level, line) => lines.push([level, line]), connected ? sink : undefined);
  const levels = () => lines.map(([level, line]) => [level, line.split(' ')[0]]);
  return { telemetry, lines, events, levels };
}

const COST = { total: 0.25, currency: 'EUR' };
const PLACE = traceOfRun({ id: 'nightly-1' });

const summary = (status: string, problems: object[] = []): RunSummary =>
  ({
    ...{ id: 'nightly-1', job: 'nightly', mode: 'full', status, startedAt: '2026-11-21T00:00:00Z', problems },
    ...{ counts: {}, bytes: {}, progress: {}, requests: {} },
    containers: [{ container: 'data', status, counts: {}, bytes: {} }],
  }) as unknown as RunSummary;

test.each([
  ['succeeded', 'info'],
  ['cancelled', 'info'],
  ['completed-with-failures', 'warn'],
  ['failed', 'error'],
])('a run that ended as %s is logged as %s', (status, level) => {
  const { telemetry, levels } = recorded({ connected: false });
  telemetry.runFinished(summary(status), COST, PLACE);
  expect(levels()).toEqual([
    [level, 'run-finished'],
    [level, 'container-finished'],
  ]);
});

test('a problem is a warning if its hint asks for something', () => {
  const { telemetry, levels } = recorded({ connected: false });
  telemetry.runFinished(summary('succeeded', [{ code: 'source-vanished' }, { code: 'tags-not-read' }]), COST, PLACE);
  expect(levels().filter(([, name]) => name === 'problem')).toEqual([
    ['info', 'problem'],
    ['warn', 'problem'],
  ]);
});

test('what stops backups is an error, and what is tried again a warning', () => {
  const { telemetry, levels } = recorded({ connected: false });
  telemetry.startFailed({ job: 'nightly', what: 'backup', due: '', message: '' });
  telemetry.runNotStarted('nightly', 'nightly-1', 'it is silent');
  telemetry.failure('copyChunk', new Error('out of order'), {});
  telemetry.uploadFailedPermanently('uploads', 'throttled');
  telemetry.warn('start-retried', {});
  telemetry.uploadFailed('uploads', 'throttled', '');
  expect(levels()).toEqual([
    ['error', 'start-failed'],
    ['info', 'run-not-started'],
    ['error', 'run-silent'],
    ['error', 'activity-failed'],
    ['error', 'upload-failed-permanently'],
    ['warn', 'start-retried'],
    ['warn', 'upload-failed'],
  ]);
});

test('where Application Insights has an event, the log stores no line of it', () => {
  const { telemetry, levels, events } = recorded({ connected: true });
  telemetry.runFinished(summary('failed'), COST, PLACE);
  expect(events).toEqual([
    ['run-finished', 'error'],
    ['container-finished', 'error'],
  ]);
  expect(new Set(levels().map(([level]) => level))).toEqual(new Set(['debug']));
});

test('an app that cannot start is an error in the log, connected or not', () => {
  for (const connected of [true, false]) {
    const { telemetry, levels, events } = recorded({ connected });
    telemetry.misconfigured(2, 'There are 2 problems');
    expect(levels()).toContainEqual(['error', 'misconfigured']);
    expect(events).toEqual(connected ? [['misconfigured', 'error']] : []);
  }
});

test('a sink that fails keeps no work from going on: the log has each event at its own level, and once why', async () => {
  const lines: [level: string, line: string][] = [];
  const fail = () => {
    throw new Error('no way out, AccountKey=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0;');
  };
  const sink: TelemetrySink = { event: fail, metric: fail, exception: fail, flush: async () => fail() };
  const telemetry = new Telemetry((level, line) => lines.push([level, line]), sink);
  telemetry.uploadArchived('uploads', 1);
  telemetry.runStarted({ id: 'nightly-1', job: 'nightly' } as RunRef);
  telemetry.runFinished(summary('failed', [{ code: 'throttled' }]), COST, PLACE);
  telemetry.failure('copyChunk', new Error('out of order'), {});
  telemetry.misconfigured(2, 'There are 2 problems');
  await telemetry.flush();
  expect(lines.map(([level, line]) => [level, line.split(' ')[0]])).toEqual([
    ['warn', 'telemetry-not-sent'],
    ['info', 'run-started'],
    ['error', 'run-finished'],
    ['error', 'container-finished'],
    ['warn', 'problem'],
    ['error', 'activity-failed'],
    ['error', 'misconfigured'],
  ]);
  expect(lines[0]![1]).toContain('no way out');
  expect(JSON.stringify(lines)).not.toContain('c2VjcmV0');
});

test('a sink gets no secret, and is flushed beside a collector of spans that fails', async () => {
  const given: unknown[] = [];
  const flushed: string[] = [];
  const sink: TelemetrySink = {
    event: (...all) => given.push(all),
    metric: (...all) => given.push(all),
    exception: ({ message, stack }, ...all) => given.push([message, stack, ...all]),
    flush: async () => void flushed.push('sink'),
  };
  const spans = { span() {}, flush: () => Promise.reject(new Error(String(flushed.push('spans')))) };
  const telemetry = new Telemetry(() => {}, sink, spans);
  const secret = 'AccountKey=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0;';
  telemetry.warn('start-retried', { message: secret });
  telemetry.failure('copyChunk', new Error(`refused, ${secret}`), { message: secret });
  expect(given).toHaveLength(3);
  expect(JSON.stringify(given)).toContain('refused');
  expect(JSON.stringify(given)).not.toContain('c2VjcmV0');
  await telemetry.flush();
  expect(flushed.sort()).toEqual(['sink', 'spans']);
});

test('a sink that fails at times has what it took, and the log the rest', () => {
  const lines: [level: string, line: string][] = [];
  let calls = 0;
  const event = () => {
    if (++calls === 2) throw new Error('busy');
  };
  const telemetry = new Telemetry((level, line) => lines.push([level, line.split(' ')[0]!]), {
    event,
    metric() {},
    exception() {},
    flush: async () => {},
  });
  for (const name of ['first', 'second', 'third']) telemetry.warn(name, {});
  expect(lines).toEqual([
    ['debug', 'first'],
    ['warn', 'telemetry-not-sent'],
    ['warn', 'second'],
    ['debug', 'third'],
  ]);
});

/** What a telemetry with a collector of traces sent there, and its events. */
function traced() {
  const spans: Span[] = [];
  const events: [name: string, trace: string | undefined, span: string | undefined][] = [];
  const sink: TelemetrySink = {
    event: (name, { trace }, _, place) => events.push([name, trace, place?.span]),
    metric() {},
    exception() {},
    flush: async () => {},
  };
  const telemetry = new Telemetry(() => {}, sink, { span: (span) => spans.push(span), flush: async () => {} });
  return { telemetry, spans, events };
}

const CALLER = { id: 'a'.repeat(32), span: 'b'.repeat(16), state: 'vendor=1' };

test('a run is a span of its trace, below the span of its caller, and its events name it', () => {
  const { telemetry, spans, events } = traced();
  const run = { id: 'nightly-1', job: 'nightly', trace: CALLER } as RunRef;
  const place = traceOfRun(run);
  telemetry.runStarted(run);
  telemetry.runFinished({ ...summary('succeeded'), finishedAt: '2026-11-21T00:01:00Z' }, COST, place);
  expect(spans).toEqual([
    {
      place: { id: CALLER.id, span: place.span, parent: CALLER.span, state: CALLER.state },
      name: 'strongroom.run',
      start: new Date('2026-11-21T00:00:00Z'),
      end: new Date('2026-11-21T00:01:00Z'),
      attributes: {
        ...{ run: 'nightly-1', job: 'nightly', mode: 'full', status: 'succeeded', currency: 'EUR' },
        ...{ seconds: 60, requests: 0, cost: 0.25 },
      },
    },
  ]);
  expect(events).toEqual(
    ['run-started', 'run-finished', 'container-finished'].map((name) => [name, CALLER.id, place.span]),
  );
});

test.each([
  [
    'failed',
    [
      { code: 'source-vanished', count: 9 },
      { code: 'throttled', count: 1 },
    ],
    'throttled',
  ],
  ['completed-with-failures', [{ code: 'throttled', count: 1 }], 'throttled'],
  ['failed', [], 'failed'],
  ['succeeded', [{ code: 'source-vanished', count: 9 }], undefined],
  ['cancelled', [], undefined],
])('the span of a run that is %s with %j has the error %s', (status, problems, error) => {
  const { telemetry, spans } = traced();
  telemetry.runFinished(summary(status, problems), COST, PLACE);
  expect(spans[0]!.error).toBe(error);
});

test('each attempt of an activity is a span of its own below the run, and what it reports names that span', async () => {
  const { telemetry, spans, events } = traced();
  const run = { id: 'nightly-1', job: 'nightly', trace: CALLER };
  const attempt = async () =>
    telemetry.activity('copyChunk', { run, container: 'data' }, async () => {
      telemetry.warn('sign-not-written', {});
      return {};
    });
  await attempt();
  await attempt();
  const { span: parent } = traceOfRun(run);
  for (const { place, name, attributes, error } of spans) {
    expect(place).toMatchObject({ id: CALLER.id, parent, state: CALLER.state });
    expect(name).toBe('strongroom.copyChunk');
    expect(attributes).toEqual({ activity: 'copyChunk', run: 'nightly-1', job: 'nightly', container: 'data' });
    expect(error).toBeUndefined();
  }
  expect(new Set(spans.map(({ place }) => place.span)).size).toBe(2);
  expect(events).toEqual(spans.map(({ place }) => ['sign-not-written', CALLER.id, place.span]));
});

test('an activity that answers with a problem, or throws, is an error without its secrets', async () => {
  const { telemetry, spans } = traced();
  const run = { id: 'nightly-1', job: 'nightly' };
  await telemetry.activity('copyChunk', { run }, async () => ({ problem: { code: 'throttled' } }));
  const secret = 'AccountKey=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0;';
  const failure = telemetry.activity('copyChunk', { run }, () => Promise.reject(new Error(`refused, ${secret}`)));
  await expect(failure).rejects.toThrow('refused');
  expect(spans.map(({ error }) => error)).toEqual(['throttled', expect.stringContaining('refused')]);
  expect(JSON.stringify(spans)).not.toContain('c2VjcmV0');
});

test('a collector that fails keeps no activity and no run from going on, and is named once', async () => {
  const lines: string[] = [];
  const fail = () => {
    throw new Error('no way out');
  };
  const telemetry = new Telemetry((_, line) => lines.push(line), undefined, { span: fail, flush: async () => fail() });
  const run = { id: 'nightly-1', job: 'nightly' };
  expect(await telemetry.activity('copyChunk', { run }, async () => ({ done: 1 }))).toEqual({ done: 1 });
  telemetry.runFinished(summary('succeeded'), COST, PLACE);
  await telemetry.flush();
  expect(lines.filter((line) => line.startsWith('telemetry-not-sent'))).toHaveLength(1);
});

test('a collector of logs may lose an event, so the log has each at its own level', () => {
  const levels: string[] = [];
  const events: string[] = [];
  const sink = { event: (name: string) => events.push(name), metric() {}, exception() {}, flush: async () => {} };
  const telemetry = new Telemetry((level) => levels.push(level), { ...sink, isLossy: true });
  telemetry.runFinished(summary('failed'), COST, PLACE);
  telemetry.misconfigured(1, 'There is a problem');
  expect(events).toEqual(['run-finished', 'container-finished', 'misconfigured']);
  expect(levels).toEqual(['error', 'error', 'error']);
});
