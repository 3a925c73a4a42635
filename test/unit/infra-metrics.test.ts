import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METRICS, type MetricName } from '#domain/metrics/metric.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { traceOfRun } from '#domain/run/trace.ts';
import { CONDITION_NAMES } from '#domain/watch/conditions.ts';
import { Telemetry } from '#telemetry/telemetry.ts';

const read = (path: string) => readFileSync(new URL(`../../infra/${path}`, import.meta.url), 'utf8');

/** The names of labels that an expression selects by, for each metric that it names. */
function selectionsIn(expression: string): [metric: string, labels: string[]][] {
  return [...expression.matchAll(/(strongroom_\w+)(?:\{([^}]*)\})?/g)].map(([, metric, selectors = '']) => [
    metric!,
    [...selectors.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label]) => label!),
  ]);
}

/** Checks that every metric exists and has the labels that are used of it. */
function expectToExist(expression: string, shown: readonly string[] = []): void {
  const selections = selectionsIn(expression);
  expect(selections.length, expression).toBeGreaterThan(0);
  for (const [metric, labels] of selections) {
    expect(Object.keys(METRICS), expression).toContain(metric);
    const known: readonly string[] = METRICS[metric as MetricName].labels;
    for (const label of [...labels, ...shown]) expect(known, `${label} in ${expression}`).toContain(label);
  }
}

describe('the alert rules for Prometheus', () => {
  const rules = read('prometheus/alerts.yml')
    .split('      - alert: ')
    .slice(1)
    .map((text) => ({
      name: text.split('\n')[0]!,
      expression: /^ +expr: (.*)$/m.exec(text)![1]!,
      severity: /^ +severity: (\w+)$/m.exec(text)?.[1],
      summary: /^ +summary: (.*)$/m.exec(text)![1]!,
      description: /^ +description: ([\s\S]*)/m.exec(text)![1]!,
    }));
  const labelsIn = (text: string) => [...text.matchAll(/\{\{ \$labels\.(\w+) \}\}/g)].map(([, label]) => label!);

  it.each(rules)('$name uses what there is', ({ expression, summary, description }) => {
    expectToExist(expression, labelsIn(summary + description));
  });

  it.each(rules)('$name says what it is about', ({ expression, summary }) => {
    const subject = ['job_name', 'account', 'channel'].filter((label) => labelsIn(summary).includes(label));
    expect(subject.length, summary).toBe(expression === 'absent(strongroom_info)' ? 0 : 1);
  });

  it('have names of their own, and a severity where no condition has one', () => {
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
    for (const { name, expression, severity } of rules)
      expect(severity === undefined, name).toBe(expression.startsWith('strongroom_condition{'));
  });

  it('cover each condition of the watch', () => {
    const named = rules.flatMap(({ expression }) => /condition="([^"]+)"/.exec(expression)?.[1] ?? []);
    // That an account is out of reach, a metric of its own says.
    expect([...named, 'out-of-reach'].sort()).toEqual([...CONDITION_NAMES].sort());
    expect(rules.map(({ expression }) => expression)).toContain('strongroom_account_up == 0');
  });
});

describe('the Grafana dashboard', () => {
  interface Panel {
    id: number;
    title: string;
    gridPos: { x: number; y: number; w: number; h: number };
    datasource: object;
    targets: { expr: string; legendFormat: string; datasource: object }[];
  }
  const { panels, templating } = JSON.parse(read('grafana/strongroom.json')) as {
    panels: Panel[];
    templating: { list: { name: string; query: string | { query: string } }[] };
  };

  it.each(panels)('$title uses what there is', ({ targets }) => {
    for (const { expr, legendFormat } of targets) {
      expectToExist(
        expr,
        [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!),
      );
    }
  });

  it('chooses jobs that there are, and the data source of the user', () => {
    const [datasource, job] = templating.list;
    expect([datasource!.name, job!.name]).toEqual(['datasource', 'job_name']);
    const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec((job!.query as { query: string }).query)!;
    expectToExist(metric!, [label!]);
    const own = { type: 'prometheus', uid: expect.stringMatching(/^\$\{datasource\}$/) };
    for (const { title, datasource, targets } of panels)
      for (const each of [datasource, ...targets.map((target) => target.datasource)]) expect(each, title).toEqual(own);
  });

  it('has panels beside each other, and none over another', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});

describe('Azure Monitor', () => {
  const names: string[] = [];
  const properties = new Set<string>();
  const numbers = new Set<string>();
  const telemetry = new Telemetry(() => {}, {
    event: (name, texts, measured) => {
      names.push(`strongroom-${name}`);
      for (const each of Object.keys(texts)) properties.add(each);
      for (const each of Object.keys(measured)) numbers.add(each);
    },
    metric: (name) => names.push(`strongroom-${name}`),
    exception() {},
    flush: async () => {},
  });
  const counts = { listed: 1, copied: 1, unchanged: 0, skipped: 0, failed: 0 };
  telemetry.runFinished(
    {
      ...{ id: 'a', job: 'nightly', mode: 'full', status: 'succeeded', startedAt: '2026-05-01T00:00:00Z', counts },
      ...{ bytes: { copied: 1 }, progress: { blobsPerSecond: 1 }, requests: {}, containers: [], problems: [] },
    } as unknown as RunSummary,
    { total: 1, currency: 'EUR' },
    traceOfRun({ id: 'a' }),
  );
  for (const to of ['open', 'closed'] as const)
    telemetry.conditionChanged(to, { id: 'brake/nightly', severity: 'error', title: 'x', job: 'nightly' });
  telemetry.watchPassed(0);

  it('has an alert on an app that is gone, which counts what each pass of the watch sends', () => {
    const [rule] = /^resource gone [\s\S]*?^\}$/m.exec(read('app/monitoring.bicep'))!;
    const [, name] = /customMetrics \| where name == "([a-z-]+)"'$/m.exec(rule)!;
    expect(name).toBe(names.at(-1));
    expect(rule).toMatch(/timeAggregation: 'Count'\n +operator: 'LessThan'\n +threshold: 1\n/);
    // A watch every five minutes is missed twelve times.
    expect(rule).toContain("windowSize: 'PT1H'");
  });

  const { items } = JSON.parse(read('workbook/strongroom.json')) as {
    items: { name: string; content: { query?: string; parameters?: { name: string; query?: string }[] } }[];
  };
  const queries = items.flatMap(({ content: { query, parameters = [] } }) =>
    [query, ...parameters.map((parameter) => parameter.query)].filter((each) => each !== undefined),
  );

  it('has a workbook that asks for what the app sends', () => {
    expect(queries.length).toBeGreaterThan(5);
    for (const query of queries) {
      for (const [name] of query.matchAll(/strongroom-[a-z-]+/g)) expect(names, query).toContain(name);
      for (const [, name] of query.matchAll(/customDimensions\.(\w+)/g)) expect([...properties], query).toContain(name);
      for (const [, name] of query.matchAll(/customMeasurements\.(\w+)/g)) expect([...numbers], query).toContain(name);
    }
  });

  it('has a workbook with duration, throughput, failures, requests and cost of each job', () => {
    const { content } = items.find(({ name }) => name === 'jobs')!;
    for (const name of ['seconds', 'bytesCopied', 'failed', 'requests', 'cost'])
      expect(content.query).toContain(`customMeasurements.${name})`);
    expect(content.query).toMatch(/ by job, mode/);
    expect(new Set(items.map(({ name }) => name)).size).toBe(items.length);
  });

  it('has a workbook whose choice of jobs narrows every query of runs', () => {
    const [time, jobs] = items.find(({ name }) => name === 'parameters')!.content.parameters!;
    expect([time!.name, jobs!.name]).toEqual(['TimeRange', 'Job']);
    const ofRuns = items.flatMap(({ content: { query } }) => (query?.includes('run-finished') ? query : []));
    for (const query of ofRuns) expect(query).toContain('where "*" in ({Job}) or job in ({Job})');
  });
});
