import { expect, test } from 'vitest';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { Telemetry, type TelemetrySink } from '#telemetry/telemetry.ts';

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
  telemetry.runFinished(summary(status), COST);
  expect(levels()).toEqual([
    [level, 'run-finished'],
    [level, 'container-finished'],
  ]);
});

test('a problem is a warning if its hint asks for something', () => {
  const { telemetry, levels } = recorded({ connected: false });
  telemetry.runFinished(summary('succeeded', [{ code: 'source-vanished' }, { code: 'tags-not-read' }]), COST);
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
  telemetry.runFinished(summary('failed'), COST);
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
  telemetry.runFinished(summary('failed', [{ code: 'throttled' }]), COST);
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
