/** A metric in the text format of Prometheus, version 0.0.4. */
export interface ParsedMetric {
  help: string;
  type: string;
  samples: { labels: Record<string, string>; value: number }[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`, 's');
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/s;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i;
const UNESCAPED: Record<string, string> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/**
 * Parses what a scrape gets, and throws at anything that the format does not have or only tolerates: a metric without
 * HELP and TYPE before its first sample, lines of one metric that do not stand together, a sample twice, blank lines.
 */
export function parseExposition(text: string): Map<string, ParsedMetric> {
  const metrics = new Map<string, ParsedMetric>();
  if (text === '') return metrics;
  if (!text.endsWith('\n')) throw new Error('The last line does not end');
  let current: { name: string; metric: ParsedMetric; seen: Set<string> } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const refuse = (why: string): never => {
      throw new Error(`${why}: ${JSON.stringify(line)}`);
    };
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/s.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (!new RegExp(`^${NAME}$`).test(name!)) refuse('No name of a metric');
      if (metrics.has(name!)) refuse('A metric comes twice');
      if (/\\(?![\\n])/.test(rest!.replaceAll('\\\\', ''))) refuse('An escape that HELP does not have');
      current = { name: name!, metric: { help: unescaped(rest!), type: '', samples: [] }, seen: new Set() };
      metrics.set(name!, current.metric);
      continue;
    }
    if (!current) throw new Error(`A line before the first HELP: ${JSON.stringify(line)}`);
    if (keyword === 'TYPE') {
      if (name !== current.name || current.metric.type !== '') refuse('A TYPE that does not follow its HELP');
      if (!/^(?:counter|gauge|histogram|summary|untyped)$/.test(rest!)) refuse('No type');
      current.metric.type = rest!;
      continue;
    }
    const [, sampled, labelled = '', value] = SAMPLE.exec(line) ?? refuse('No line of the format');
    if (sampled !== current.name || current.metric.type === '') refuse('A sample that does not follow its TYPE');
    if (!NUMBER.test(value!)) refuse('No number');
    const labels = labelsIn(labelled, refuse);
    const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (current.seen.has(key)) refuse('A sample comes twice');
    current.seen.add(key);
    current.metric.samples.push({ labels, value: Number(value!.replace(/inf/i, 'Infinity')) });
  }
  return metrics;
}

function labelsIn(text: string, refuse: (why: string) => never): Record<string, string> {
  const labels: Record<string, string> = Object.create(null);
  for (let rest = text; rest !== ''; ) {
    const [all, name, value] = LABEL.exec(rest) ?? refuse('No labels of the format');
    if (name!.startsWith('__')) refuse('A label that Prometheus keeps for itself');
    if (name! in labels) refuse('A label comes twice');
    labels[name!] = unescaped(value!);
    rest = rest.slice(all.length);
  }
  return { ...labels };
}

function unescaped(text: string): string {
  return text.replace(/\\[\\"n]/g, (each) => UNESCAPED[each]!);
}
