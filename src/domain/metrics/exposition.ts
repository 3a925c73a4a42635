import { METRICS, type MetricName, type Sample } from './metric.ts';

/** The text format of Prometheus, which other collectors take, too. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Samples as text. A metric without samples is left out. */
export function expositionOf(samples: readonly Sample[]): string {
  const byMetric = Map.groupBy(samples, ({ metric }) => metric);
  const lines = (Object.keys(METRICS) as MetricName[]).flatMap((name) => {
    const own = byMetric.get(name);
    if (!own) return [];
    return [`# HELP ${name} ${escaped(METRICS[name].help)}`, `# TYPE ${name} gauge`, ...own.map(lineOf)];
  });
  return lines.map((line) => `${line}\n`).join('');
}

function lineOf({ metric, labels, value }: Sample): string {
  const shown = Object.entries(labels)
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${name}="${escaped(text).replaceAll('"', '\\"')}"`);
  return `${metric}${shown.length > 0 ? `{${shown.join(',')}}` : ''} ${value}`;
}

/** The format knows no other escapes. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
