import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { blobServiceIdentity, resolveAccount } from './config/accounts.ts';
import { type AppSettings, withSettings } from './config/app-settings.ts';
import { crossChecks, type JobShape } from './config/cross-checks.ts';
import { jsonErrorOffset, lineAndColumn, syntaxProblem } from './config/json-syntax.ts';
import { nearest, placeOf } from './config/place.ts';
import { globProblem } from './domain/blob-filter.ts';
import { ConfigurationError, type ConfigurationProblem } from './domain/configuration-error.ts';
import { patternProblem } from './domain/container-pattern.ts';
import { containerTemplateProblem, prefixTemplateProblem } from './domain/container-template.ts';
import { scheduleProblem, timeZoneProblem } from './domain/schedule.ts';
import type { AccountConnection } from './storage/account-connection.ts';

/** Text that is right when `problem` has nothing to say about it. */
function text(problem: (value: string) => string | undefined) {
  return z.string().superRefine((value, context) => {
    const message = problem(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

const alias = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, {
  error: 'an account is named by an alias, which is the name of an app setting: a letter, then letters, digits and "_"',
});

const sourceSchema = z.strictObject({
  account: alias.describe(
    'Alias of the account to copy from: the app setting of that name holds its connection string, or `<alias>__blobServiceUri` its address for the managed identity.',
  ),
  containers: z
    .array(text(patternProblem))
    .min(1, { error: 'name at least one container, or "*" for all' })
    .describe(
      'Containers by name or by pattern, where `*` stands for any characters. Patterns are expanded when a run starts.',
    ),
  prefix: z.string().max(1024).default('').describe('Only blobs whose names begin with this.'),
  include: z
    .array(text(globProblem))
    .default([])
    .describe('Only blobs whose names match one of these globs; none means all.'),
  exclude: z
    .array(text(globProblem))
    .default([])
    .describe('Not the blobs whose names match one of these globs, such as `**/*.tmp`.'),
});

const destinationSchema = z.strictObject({
  account: alias.describe('Alias of the vault, the account to copy to; resolved like that of the source.'),
  container: text(containerTemplateProblem).describe(
    'The container to copy to, where `{container}` stands for the name of the source container, such as `{container}backup`.',
  ),
  prefix: text(prefixTemplateProblem)
    .default('')
    .describe('Put in front of every blob name; may hold `{container}`, such as `{container}/`.'),
});

const jobSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, {
      error: 'a job is named by 1 to 40 lower-case letters, digits and hyphens, with a letter or digit at both ends',
    })
    .describe('The name of the job: unique, in lower case.'),
  schedule: text(scheduleProblem)
    .optional()
    .describe(
      'When to run: six fields `{second} {minute} {hour} {day} {month} {day of week}`, such as `0 30 23 * * *`. Without it the job runs when asked to.',
    ),
  timeZone: text(timeZoneProblem)
    .default('UTC')
    .describe('The IANA time zone of the schedule, such as `Europe/Berlin`.'),
  mode: z
    .enum(['incremental', 'full'])
    .default('incremental')
    .describe('What a scheduled run does: copy what changed since the last one, or everything.'),
  source: sourceSchema.describe('What to copy.'),
  destination: destinationSchema.describe('Where to copy it.'),
  method: z
    .enum(['auto', 'sync', 'async', 'blocks'])
    .default('auto')
    .describe(
      'How to copy: `auto` picks for each blob; the others force Copy Blob From URL, Copy Blob, or Put Block From URL.',
    ),
});

/** The shape of strongroom.json. */
export const configurationSchema = z.strictObject({
  $schema: z.string().optional().describe('The JSON Schema of this file, for editors.'),
  jobs: z
    .array(jobSchema)
    .min(1, { error: 'at least one job is needed' })
    .describe('What to back up, where to, and when.'),
});

/** One job, every default filled in. */
export type Job = z.output<typeof jobSchema>;

export interface Configuration {
  /** At least one, in the file's order. */
  jobs: Job[];
  /** By alias: every account that a job names. Holds secrets; it must not be logged or sent anywhere. */
  accounts: Map<string, AccountConnection>;
}

/**
 * Reads a configuration that was written down as `text`. `file` says where it came from, for messages; `settings` are
 * the app settings. Throws ConfigurationError with everything that is wrong, and nothing else.
 */
export function loadConfiguration(from: { text: string; file: string; settings: AppSettings }): Configuration {
  const { file, settings } = from;
  const { value, problems } = withSettings(parseJson(from.text, file), settings);
  const unresolved = new Set(problems.map(({ place }) => place));

  const parsed = configurationSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) {
    // Where a setting is missing, there is no use in complaining of the text that stands in its place.
    problems.push(...parsed.error.issues.flatMap(problemsOf).filter(({ place }) => !unresolved.has(place)));
  }

  const jobs = jobsOf(value);
  problems.push(...duplicateNames(jobs));
  const accounts = accountsOf(jobs, settings, problems);
  const identity = (alias: string) => {
    const connection = accounts.get(alias);
    return connection ? blobServiceIdentity(connection) : `alias ${alias}`;
  };
  problems.push(...crossChecks(jobs.flatMap(shapeOf), identity));

  if (!parsed.success || problems.length > 0) throw new ConfigurationError(file, inFileOrder(problems));
  return { jobs: parsed.data.jobs, accounts };
}

const EXAMPLE = `{
  "jobs": [
    {
      "name": "nightly",
      "schedule": "0 30 23 * * *",
      "source": { "account": "SOURCE", "containers": ["*"] },
      "destination": { "account": "VAULT", "container": "{container}backup" }
    }
  ]
}`;

/**
 * Reads the configuration file: the one that STRONGROOM_CONFIG names, else strongroom.json in `cwd`, else the one in
 * `appRoot`, the folder of host.json. App settings are taken from `env`. Throws ConfigurationError.
 */
export function readConfiguration(from: { env: AppSettings; cwd: string; appRoot: string }): Configuration {
  const { env, cwd, appRoot } = from;
  const named = env.STRONGROOM_CONFIG?.trim();
  const files = named
    ? [resolve(cwd, named)]
    : [...new Set([join(cwd, 'strongroom.json'), join(appRoot, 'strongroom.json')])];
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw new ConfigurationError(file, [
        { place: file, message: `the file cannot be read: ${(error as Error).message}` },
      ]);
    }
    return loadConfiguration({ text, file, settings: env });
  }
  throw new ConfigurationError(
    'the configuration',
    [
      {
        place: files[0]!,
        message: named
          ? 'there is no such file; STRONGROOM_CONFIG names it'
          : `there is no such file${files[1] ? `, nor ${files[1]}` : ''}`,
      },
    ],
    `A small strongroom.json to begin with:\n\n${EXAMPLE}`,
  );
}

/** Job by job; what concerns no single job comes first. */
function inFileOrder(problems: readonly ConfigurationProblem[]): ConfigurationProblem[] {
  const jobOf = ({ place }: ConfigurationProblem) => Number(/^jobs\[(\d+)\]/.exec(place)?.[1] ?? -1);
  return problems.toSorted((a, b) => jobOf(a) - jobOf(b));
}

function parseJson(raw: string, file: string): unknown {
  // Some editors put a byte order mark in front.
  const text = raw.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(text);
  } catch {
    const offset = jsonErrorOffset(text) ?? 0;
    const { line, column } = lineAndColumn(text, offset);
    throw new ConfigurationError(file, [
      { place: `line ${line}, column ${column}`, message: syntaxProblem(text, offset) },
    ]);
  }
}

/** What could be made out of one job, though other parts of it be wrong. */
interface Draft {
  place: string;
  name?: string;
  source?: z.output<typeof sourceSchema>;
  destination?: z.output<typeof destinationSchema>;
  /** Aliases, with the place each was found at. */
  aliases: { place: string; alias: string }[];
}

function jobsOf(value: unknown): Draft[] {
  const jobs = fieldOf(value, 'jobs');
  if (!Array.isArray(jobs)) return [];
  return jobs.map((job: unknown, index): Draft => {
    const place = placeOf(['jobs', index]);
    const name = jobSchema.shape.name.safeParse(fieldOf(job, 'name'));
    const source = sourceSchema.safeParse(fieldOf(job, 'source'));
    const destination = destinationSchema.safeParse(fieldOf(job, 'destination'));
    const aliases = ['source', 'destination'].flatMap((side) => {
      const found = alias.safeParse(fieldOf(fieldOf(job, side), 'account'));
      return found.success ? [{ place: `${place}.${side}.account`, alias: found.data }] : [];
    });
    return {
      place,
      aliases,
      ...(name.success && { name: name.data }),
      ...(source.success && { source: source.data }),
      ...(destination.success && { destination: destination.data }),
    };
  });
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function shapeOf({ place, source, destination }: Draft): JobShape[] {
  return source && destination ? [{ place, source, destination }] : [];
}

function duplicateNames(jobs: readonly Draft[]): ConfigurationProblem[] {
  return jobs.flatMap(({ place, name }, index) => {
    const earlier = jobs.slice(0, index).find((job) => name !== undefined && job.name === name);
    return earlier
      ? [{ place: `${place}.name`, message: `"${name}" is the name of ${earlier.place} already; names must be unique` }]
      : [];
  });
}

/** Resolves every alias once; what is wrong is reported at the first place that names it. */
function accountsOf(jobs: readonly Draft[], settings: AppSettings, problems: ConfigurationProblem[]) {
  const accounts = new Map<string, AccountConnection>();
  const seen = new Set<string>();
  for (const { place, alias } of jobs.flatMap((job) => job.aliases)) {
    if (seen.has(alias)) continue;
    seen.add(alias);
    const resolved = resolveAccount(alias, settings);
    if ('connection' in resolved) accounts.set(alias, resolved.connection);
    else problems.push(...resolved.problems.map((message) => ({ place, message })));
  }
  return accounts;
}

const WORDS: Record<string, string> = { object: 'an object { … }', array: 'a list [ … ]', string: 'a text in quotes' };

/** The options that may stand where `path` leads. */
function knownOptions(path: readonly PropertyKey[]): string[] {
  const last = path.at(-1);
  if (last === undefined) return Object.keys(configurationSchema.shape);
  if (last === 'source') return Object.keys(sourceSchema.shape);
  if (last === 'destination') return Object.keys(destinationSchema.shape);
  return Object.keys(jobSchema.shape);
}

function problemsOf(issue: z.core.$ZodIssue): ConfigurationProblem[] {
  const place = placeOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownOptions(issue.path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      const hint = near ? `did you mean "${near}"?` : `known are ${known.map((name) => `"${name}"`).join(', ')}`;
      return { place: placeOf([...issue.path, key]), message: `there is no such option; ${hint}` };
    });
  }
  if (issue.code === 'invalid_type') {
    const expected = WORDS[issue.expected] ?? issue.expected;
    return [
      {
        place,
        message: issue.input === undefined ? `this is missing; it must be ${expected}` : `this must be ${expected}`,
      },
    ];
  }
  if (issue.code === 'invalid_value') {
    const near = typeof issue.input === 'string' ? nearest(issue.input, issue.values.map(String)) : undefined;
    return [
      {
        place,
        message: `this must be ${issue.values.map((value) => `"${String(value)}"`).join(' or ')}${near ? `; did you mean "${near}"?` : ''}`,
      },
    ];
  }
  return [{ place, message: issue.message }];
}
