import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { traceOfRun } from '#domain/run/trace.ts';
import { Telemetry } from '#telemetry/telemetry.ts';

const root = new URL('../../../', import.meta.url).pathname;
const [events, metrics] = readFileSync(`${root}docs/telemetry.md`, 'utf8').split('## Metrics') as [string, string];

/** The names in the first column of a table, with the names in its last one. */
function rowsOf(table: string): Record<string, string[]> {
  const rows = [...table.matchAll(/^\| `([a-z-]+)` \|.*\| ([^|]*) \|$/gm)];
  return Object.fromEntries(
    rows.map(([, name, names]) => [name, [...names!.matchAll(/`(\w+)`/g)].map((each) => each[1]!)]),
  );
}

const run = { id: 'a', job: 'a', mode: 'full', trigger: 'timer', dryRun: false, status: 'failed' };
const finished = {
  ...run,
  ...{
    startedAt: '2026-11-21T00:00:00Z',
    counts: {},
    bytes: { copied: 0 },
    requests: {},
    progress: { blobsPerSecond: 0 },
  },
  containers: [{ container: 'a', status: 'failed', counts: {}, bytes: { copied: 0 } }],
  problems: [{ code: 'throttled', container: 'a', count: 1, message: 'a' }],
} as unknown as RunSummary;

const CONDITION = { id: 'a', severity: 'info', title: 'a', job: 'a' };

/** Every method, with all that it may be given. */
const CALLS: Record<string, (telemetry: Telemetry) => void> = {
  runStarted: (telemetry) => telemetry.runStarted(run as unknown as RunRef),
  runNotStarted: (telemetry) => telemetry.runNotStarted('a', 'b', 'c'),
  startFailed: (telemetry) => telemetry.startFailed({ job: 'a', what: 'a', due: 'a', message: 'a' }),
  runFinished: (telemetry) =>
    telemetry.runFinished(finished, { total: 1, currency: 'EUR' }, traceOfRun(finished as never)),
  brakeEngaged: (telemetry) => telemetry.brakeEngaged(finished, 'a'),
  chainHead: (telemetry) => telemetry.chainHead('a', { number: 1, sha256: 'a' }),
  uploadArchived: (telemetry) => telemetry.uploadArchived('a', 1),
  uploadFailed: (telemetry) => telemetry.uploadFailed('a', 'b', 'c'),
  uploadFailedPermanently: (telemetry) => telemetry.uploadFailedPermanently('a', 'b'),
  eventIgnored: (telemetry) => telemetry.eventIgnored('a', 'b'),
  failure: (telemetry) => telemetry.failure('a', new Error('a'), { run: 'a', job: 'a', container: 'a' }),
  misconfigured: (telemetry) => telemetry.misconfigured(1, 'a'),
  watchPassed: (telemetry) => telemetry.watchPassed(1),
  conditionChanged: (telemetry) => telemetry.conditionChanged('open', CONDITION),
};

/** What `warn` is given in the code; of a variable, only its name is known. */
function warnings(): [name: string, properties: string[] | undefined][] {
  return globSync(`${root}src/**/*.ts`).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/telemetry\.warn\(\s*'([a-z-]+)',\s*(?:\{(.*)\}|\w+)\);/g)].map(
      ([, name, list]): [string, string[] | undefined] => [
        name!,
        list
          ?.replace(/\(.*\)/, '')
          .split(',')
          .map((property) => property.trim().split(':')[0]!),
      ],
    ),
  );
}

test('every event and metric is documented with its properties, and no other', () => {
  const sent = { events: {} as Record<string, string[]>, metrics: {} as Record<string, string[]> };
  const telemetry = new Telemetry(() => {}, {
    event: (name, { level: _, trace: __, ...properties }, numbers) => {
      sent.events[name] = [...Object.keys(properties), ...Object.keys(numbers)];
    },
    metric: (name, _, properties) => {
      sent.metrics[name] = Object.keys(properties);
    },
    exception() {},
    flush: async () => {},
  });
  for (const call of Object.values(CALLS)) call(telemetry);
  telemetry.conditionChanged('closed', CONDITION);
  const documented = rowsOf(events);
  for (const [name, properties] of warnings()) sent.events[name] = properties ?? documented[name] ?? [];
  const sorted = (of: Record<string, string[]>) =>
    Object.fromEntries(Object.entries(of).map(([name, properties]) => [name, properties.toSorted()]));
  expect(sorted(documented)).toEqual(sorted(sent.events));
  expect(sorted(rowsOf(metrics))).toEqual(sorted(sent.metrics));
});

test('every method that reports is among those that are compared', () => {
  const methods = Object.getOwnPropertyNames(Telemetry.prototype).filter(
    (name) => !/^(?:constructor|activity|warn|flush)$/.test(name),
  );
  expect(methods.sort()).toEqual(Object.keys(CALLS).sort());
  expect(warnings().length).toBeGreaterThan(5);
});
