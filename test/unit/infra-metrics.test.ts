import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METRICS, type MetricName } from '#domain/metrics/metric.ts';
import { CONDITION_NAMES } from '#domain/watch/conditions.ts';

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
