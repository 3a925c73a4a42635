import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { backupTemplateProblem, prefixTemplateProblem } from '#domain/blobs/container-template.ts';
import type { PriceTable } from '#domain/cost/price-table.ts';
import { checkInput } from '#domain/input/check-input.ts';
import { optionPath } from '#domain/input/option-path.ts';
import { jsonErrorOffset, lineAndColumn, syntaxProblem } from '#domain/json-syntax.ts';
import { defined } from '#domain/run/defined.ts';
import { scheduleProblem, timeZoneProblem } from '#domain/run/schedule.ts';
import { settingOfCheck } from '#domain/watch/ping.ts';
import type { AccountConnection } from '#storage/account-connection.ts';
import { type Access, accessOf, accessProblems, accessSchema } from './access.ts';
import { blobServiceIdentity, resolveAccount, sasProblem, secondaryProblem, tableServiceProblem } from './accounts.ts';
import { type AppSettings, settingOf, withSettings } from './app-settings.ts';
import {
  type ArchiveRule,
  archiveRuleSchema,
  ruleDestinationSchema,
  ruleSourceSchema,
  unlikeTriggers,
} from './archives.ts';
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.ts';
import { crossChecks, type JobShape } from './cross-checks.ts';
import { expectSchema } from './expect.ts';
import { hideOption, hideOptions } from './hidden-settings.ts';
import { hostConnectionProblems } from './host-connections.ts';
import { INSTANCE_SETTING, instanceProblems } from './instance.ts';
import { checkSchema, type NamedPing, type Notify, notifyProblems, notifySchema, resolveNotify } from './notify.ts';
import { pricesSchema } from './prices.ts';
import { repeatedKeyProblems } from './repeated-keys.ts';
import { retentionSchema } from './retention.ts';
import { alias, methodSchema, nameOf, text } from './schema-parts.ts';
import { sourceSchema } from './source.ts';
import { taskHubProblems } from './task-hub.ts';
import { telemetryProblems } from './telemetry-settings.ts';
import { verifySchema } from './verify.ts';

const destinationSchema = z.strictObject({
  account: alias.describe(
    'Alias of the vault, the account to copy to. The app settings of this name hold its connection, as for the source.',
  ),
  container: text(backupTemplateProblem)
    .exactOptional()
    .describe(
      'Template for the backup container; `{container}` stands for the name of the source container, for example ' +
        '`{container}backup`. Required if the source names containers.',
    ),
  prefix: text(prefixTemplateProblem)
    .default('')
    .describe('Template for a prefix of every blob name in the backup container, for example `{container}/`.'),
});

const anyJob = z.strictObject({
  name: nameOf('a job').describe('Name of the job: lower case, unique among jobs and archive rules.'),
  schedule: text(scheduleProblem)
    .optional()
    .describe(
      'Schedule of the job: six fields `{second} {minute} {hour} {day} {month} {day of week}`, for example `0 30 ' +
        '23 * * *`. Without a schedule, the job runs on demand only.',
    ),
  timeZone: text(timeZoneProblem)
    .default('UTC')
    .describe(
      'IANA time zone of all schedules of the job and of the days that `retention` counts, for example ' +
        '`Europe/Berlin`.',
    ),
  mode: z
    .enum(['incremental', 'full'])
    .default('incremental')
    .describe('Mode of scheduled runs: `incremental` copies changes since the last run, `full` copies everything.'),
  source: sourceSchema.describe('The account, containers and tables to back up.'),
  destination: destinationSchema.describe('The vault, and the backup containers in it.'),
  method: methodSchema,
  retention: retentionSchema
    .exactOptional()
    .describe(
      'The restore points to keep; requires at least one `keep…` rule. Without `retention`, Strongroom keeps all ' +
        'restore points.',
    ),
  verify: verifySchema
    .exactOptional()
    .describe('When Strongroom verifies restore points; requires `afterRun` or `schedule`.'),
  expect: expectSchema.exactOptional().describe('When the watch reports the job as overdue.'),
  ping: checkSchema,
});

const jobSchema = anyJob
  .refine((job) => fieldOf(job.expect, 'grace') === undefined || isScheduled(job), {
    path: ['expect', 'grace'],
    error: 'the job has no schedule, and this is the time after one; use "every", or add a schedule',
    when: ({ value }) => isObject(value),
  })
  .refine(({ schedule, expect }) => schedule === undefined || fieldOf(expect, 'every') === undefined, {
    path: ['expect', 'every'],
    error: 'the job has a schedule, which says when its backups are due; remove this option or the schedule',
    when: ({ value }) => isObject(value),
  })
  .refine(
    ({ source, destination }) => !namesAny(source, 'containers') || fieldOf(destination, 'container') !== undefined,
    {
      path: ['destination', 'container'],
      error:
        'this option is missing; set the backup container for the containers of the source, for example ' +
        '"{container}backup"',
      // Also if other options are wrong. A destination that is not an object has a problem of its own.
      when: ({ value }) => isObject(fieldOf(value, 'destination')),
    },
  );

/** Whether anything of a job has a schedule. */
function isScheduled(job: { schedule?: unknown; retention?: unknown; verify?: unknown }): boolean {
  const { schedule, retention, verify } = job;
  return [schedule, fieldOf(retention, 'schedule'), fieldOf(verify, 'schedule')].some((each) => each !== undefined);
}

/** The shape of strongroom.json. */
export const configurationSchema = z.strictObject({
  $schema: z.string().optional().describe('Path of the JSON Schema of this file, for editors.'),
  jobs: z.array(jobSchema).default([]).describe('Backup jobs.'),
  archives: z
    .array(archiveRuleSchema)
    .default([])
    .describe('Archive rules: containers whose uploads Strongroom archives as they arrive.'),
  accounts: z.array(alias).default([]).describe('Aliases of additional accounts that restores may write to.'),
  access: accessSchema
    .prefault({})
    .describe('Who may call the API, and what each caller may do. See `STRONGROOM_AUTH`.'),
  prices: pricesSchema
    .exactOptional()
    .describe('Prices that reports compute costs with, in place of the example prices in docs/cost.md.'),
  notify: notifySchema.prefault({}).describe('The watch: how often it looks, and who gets its messages.'),
});

export type { ArchiveRule };

type WrittenJob = z.output<typeof jobSchema>;

/** One job with all defaults. */
export interface Job extends Omit<WrittenJob, 'destination'> {
  /** A job without containers does not use the template. It is `{container}` then, unless the file has one. */
  destination: Required<WrittenJob['destination']>;
}

export interface Configuration {
  /** In the order of the file. There is at least one job or one archive rule. */
  jobs: Job[];
  /** In the order of the file. */
  archives: ArchiveRule[];
  /** Aliases of further accounts that restores may write to, each once. */
  otherAccounts: string[];
  /** Absent: the example prices. */
  prices?: PriceTable;
  /** The watch and its channels. They contain secrets: never log or send them. */
  notify: Notify;
  /** All named accounts, by alias. They contain secrets: never log or send them. */
  accounts: Map<string, AccountConnection>;
  /** Absent if the host checks who calls. */
  access?: Access;
  /** The name of this app, such as `production`. */
  instance?: string;
}

/**
 * Parses a configuration. `file` names its file in messages; `settings` are the app settings, and `fillFrom` those that
 * may be filled in for `%NAME%`: by default, all. Throws ConfigurationError with all problems, and nothing else.
 */
export function loadConfiguration(from: {
  text: string;
  file: string;
  settings: AppSettings;
  fillFrom?: AppSettings;
}): Configuration {
  const { file, settings, fillFrom = settings } = from;
  const { parsed: written, repeated } = parseJson(from.text, file);
  const { value, problems: missing, filledIn } = withSettings(written, fillFrom);
  const unresolved = new Set(missing.map(({ place }) => place));

  // Where a setting is missing, its placeholder text is not worth a second complaint.
  const { data, problems: wrong } = checkInput(configurationSchema, value, 'option');
  const problems: ConfigurationProblem[] = wrong
    .map(({ path, message }) => ({ place: optionPath(path), message }))
    .filter(({ place }) => !unresolved.has(place));

  const jobs = draftsOf(value, 'jobs', jobParts);
  const rules = draftsOf(value, 'archives', ruleParts);
  const drafts = [...jobs, ...rules];
  const pings = [...pingsIn(value, 'jobs'), ...pingsIn(value, 'archives')];
  const names = drafts.flatMap(({ name }) => name ?? []);
  problems.push(
    ...notifyProblems(fieldOf(value, 'notify'), { settings, jobs: names, pings }),
    ...taskHubProblems(settings),
    ...telemetryProblems(settings),
    ...accessProblems(fieldOf(value, 'access'), settings),
    ...instanceProblems(settings),
    ...nothingToDo(value),
    ...duplicateNames(drafts),
    ...unlikeTriggers(fieldOf(value, 'archives')),
  );
  const named = [...drafts.flatMap((draft) => draft.aliases), ...otherAliases(value)];
  const accounts = accountsOf(named, settings, problems);
  problems.push(...hostConnectionProblems({ rules: fieldOf(value, 'archives'), accounts, settings }));
  const identity = (alias: string) => {
    const connection = accounts.get(alias);
    return connection ? blobServiceIdentity(connection) : `alias ${alias}`;
  };
  const joint = [
    ...crossChecks(drafts.flatMap(shapeOf), identity),
    ...drafts.flatMap((draft) => otherVault(draft, accounts)),
    ...unreachableTables(drafts, accounts),
    ...unfitAccounts(drafts, accounts, settings),
  ].map((problem) => hideOptions(problem, filledIn));

  const all = [...repeated, ...missing, ...problems.map((problem) => hideOption(problem, filledIn)), ...joint];
  if (data === undefined || all.length > 0) throw new ConfigurationError(file, inFileOrder(all));
  const { jobs: backups, archives, accounts: others, prices } = data;
  const access = accessOf(data.access, settings);
  const notify = resolveNotify(data.notify, settings, pings);
  return {
    ...{ jobs: backups.map(withDefaults), archives, otherAccounts: [...new Set(others)], notify, accounts },
    ...defined({ prices, access, instance: settingOf(settings, INSTANCE_SETTING) }),
  };
}

function withDefaults({ destination, ...job }: WrittenJob): Job {
  return { ...job, destination: { container: '{container}', ...destination } };
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
 * Reads the configuration file: the one that STRONGROOM_CONFIG names, otherwise strongroom.json in `cwd`, otherwise the
 * one in `appRoot`, the folder of host.json. `env` has the app settings. Throws ConfigurationError.
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
          ? 'STRONGROOM_CONFIG names this file, and it does not exist'
          : `this file does not exist${files[1] ? `; neither does ${files[1]}` : ''}`,
      },
    ],
    `A minimal strongroom.json:\n\n${EXAMPLE}`,
  );
}

/** Problems of no job or rule first, then job by job, then rule by rule. */
function inFileOrder(problems: readonly ConfigurationProblem[]): ConfigurationProblem[] {
  const order = ({ place }: ConfigurationProblem): [list: number, index: number] => {
    const [, list, index] = /^(jobs|archives)\[(\d+)\]/.exec(place) ?? [];
    return [list === undefined ? 0 : list === 'jobs' ? 1 : 2, Number(index ?? 0)];
  };
  return problems.toSorted((a, b) => {
    const [[listA, indexA], [listB, indexB]] = [order(a), order(b)];
    return listA - listB || indexA - indexB;
  });
}

function parseJson(raw: string, file: string): { parsed: unknown; repeated: ConfigurationProblem[] } {
  // Some editors write a byte order mark.
  const text = raw.replace(/^\uFEFF/, '');
  try {
    return { parsed: JSON.parse(text), repeated: repeatedKeyProblems(text) };
  } catch {
    const offset = jsonErrorOffset(text) ?? 0;
    const { line, column } = lineAndColumn(text, offset);
    throw new ConfigurationError(file, [
      { place: `line ${line}, column ${column}`, message: syntaxProblem(text, offset) },
    ]);
  }
}

/** The valid parts of one job or archive rule. Other parts may be wrong. */
interface Draft extends Parts {
  place: string;
  name?: string;
  aliases: NamedAccount[];
  /** The aliases of the source, of the destination and of the account to delete with: each list has one or none. */
  reading: NamedAccount[];
  vault: NamedAccount[];
  deleting: NamedAccount[];
}

interface Parts {
  kind: 'job' | 'rule';
  source?: JobShape['source'];
  destination?: JobShape['destination'];
  /** The part that names the account to delete with. */
  deletes: string;
  /** What is read of the source. */
  services: ('blobs' | 'tables')[];
}

/** An alias, and the option that names it. */
interface NamedAccount {
  place: string;
  alias: string;
}

function draftsOf(value: unknown, list: 'jobs' | 'archives', partsOf: (item: unknown) => Parts): Draft[] {
  const items = fieldOf(value, list);
  if (!Array.isArray(items)) return [];
  return items.map((item: unknown, index): Draft => {
    const place = optionPath([list, index]);
    const name = jobSchema.shape.name.safeParse(fieldOf(item, 'name'));
    const parts = partsOf(item);
    const aliasOf = (part: string) => aliasAt(`${place}.${part}.account`, fieldOf(fieldOf(item, part), 'account'));
    const [reading, vault, deleting] = [aliasOf('source'), aliasOf('destination'), aliasOf(parts.deletes)];
    const aliases = [...reading, ...vault, ...deleting];
    return { ...parts, place, aliases, reading, vault, deleting, ...(name.success && { name: name.data }) };
  });
}

function jobParts(job: unknown): Parts {
  const source = sourceSchema.safeParse(fieldOf(job, 'source'));
  const destination = destinationSchema.safeParse(fieldOf(job, 'destination'));
  const container = destination.data?.container;
  return {
    kind: 'job',
    deletes: 'retention',
    services: [
      ...(namesAny(fieldOf(job, 'source'), 'containers') ? (['blobs'] as const) : []),
      ...(namesAny(fieldOf(job, 'source'), 'tables') ? (['tables'] as const) : []),
    ],
    ...(source.success && { source: source.data }),
    ...(destination.success && container !== undefined && { destination: { ...destination.data, container } }),
  };
}

function ruleParts(rule: unknown): Parts {
  const source = ruleSourceSchema.safeParse(fieldOf(rule, 'source'));
  const destination = ruleDestinationSchema.safeParse(fieldOf(rule, 'destination'));
  return {
    kind: 'rule',
    deletes: 'receipts',
    services: ['blobs'],
    ...(source.success && { source: { account: source.data.account, containers: [source.data.container] } }),
    ...(destination.success && { destination: destination.data }),
  };
}

/** Empty if the value is not an alias, which the schema reports. */
function aliasAt(place: string, value: unknown): NamedAccount[] {
  const found = alias.safeParse(value);
  return found.success ? [{ place, alias: found.data }] : [];
}

/** The pings of jobs or archive rules. The schema reports those that have another form. */
function pingsIn(value: unknown, list: 'jobs' | 'archives'): NamedPing[] {
  const items = fieldOf(value, list);
  if (!Array.isArray(items)) return [];
  return items.flatMap((item: unknown, index) =>
    [[], ['verify'], ['retention']].flatMap((part): NamedPing[] => {
      const holder = part.reduce<unknown>(fieldOf, item);
      const check = checkSchema.safeParse(fieldOf(holder, 'ping')).data;
      if (check === undefined) return [];
      const place = optionPath([list, index, ...part, 'ping', ...(typeof check === 'string' ? [] : ['url'])]);
      return [{ place, setting: settingOfCheck(check) }];
    }),
  );
}

function otherAliases(value: unknown): NamedAccount[] {
  const accounts = fieldOf(value, 'accounts');
  return Array.isArray(accounts)
    ? accounts.flatMap((item, index) => aliasAt(optionPath(['accounts', index]), item))
    : [];
}

function fieldOf(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Whether a source lists anything under `key`, valid or not. */
function namesAny(source: unknown, key: 'containers' | 'tables'): boolean {
  const list = fieldOf(source, key);
  return Array.isArray(list) && list.length > 0;
}

function shapeOf({ kind, place, source, destination }: Draft): JobShape[] {
  return source && destination ? [{ kind, place, source, destination }] : [];
}

/** The problem of a file with neither jobs nor rules. The schema reports values that are not lists. */
function nothingToDo(value: unknown): ConfigurationProblem[] {
  const isNone = (list: unknown) => list === undefined || (Array.isArray(list) && list.length === 0);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  if (!isNone(fieldOf(value, 'jobs')) || !isNone(fieldOf(value, 'archives'))) return [];
  return [
    {
      place: 'jobs',
      message: 'the configuration has nothing to do; add at least one job here, or one rule to "archives"',
    },
  ];
}

function duplicateNames(drafts: readonly Draft[]): ConfigurationProblem[] {
  return drafts.flatMap(({ place, name }, index) => {
    const earlier = drafts.slice(0, index).find((draft) => name !== undefined && draft.name === name);
    return earlier
      ? [{ place: `${place}.name`, message: `${earlier.place} already has the name "${name}"; choose another name` }]
      : [];
  });
}

/** Resolves every alias once, and reports its problems at the first option that names it. */
function accountsOf(named: readonly NamedAccount[], settings: AppSettings, problems: ConfigurationProblem[]) {
  const accounts = new Map<string, AccountConnection>();
  const seen = new Set<string>();
  for (const { place, alias } of named) {
    if (seen.has(alias)) continue;
    seen.add(alias);
    const resolved = resolveAccount(alias, settings);
    if ('connection' in resolved) accounts.set(alias, resolved.connection);
    else problems.push(...resolved.problems.map((message) => ({ place, message })));
  }
  return accounts;
}

/** Problems of accounts whose tables are read, but whose table endpoint is unknown: one each, at the first mention. */
function unreachableTables(drafts: readonly Draft[], accounts: Map<string, AccountConnection>): ConfigurationProblem[] {
  const seen = new Set<string>();
  return drafts.flatMap(({ services, reading: [named] }) => {
    const connection = named && accounts.get(named.alias);
    if (!services.includes('tables') || !connection || seen.has(named.alias)) return [];
    seen.add(named.alias);
    const message = tableServiceProblem(connection);
    return message === undefined ? [] : [{ place: named.place, message }];
  });
}

/** Problems of accounts that cannot do what the configuration does with them, at the first mention. */
function unfitAccounts(
  drafts: readonly Draft[],
  accounts: Map<string, AccountConnection>,
  settings: AppSettings,
): ConfigurationProblem[] {
  const seen = new Set<string>();
  const problem = ({ place }: NamedAccount, message: string | undefined) => {
    if (message === undefined || seen.has(message)) return [];
    seen.add(message);
    return [{ place, message }];
  };
  const readOnly = ({ alias }: NamedAccount) => {
    const connection = accounts.get(alias);
    return connection && secondaryProblem(connection);
  };
  const ofVault = { role: 'vault', services: ['blobs'], listsContainers: true } as const;
  return drafts.flatMap(({ reading, vault, deleting, services, source }) => {
    const listsContainers = source?.containers.some((name) => name.includes('*')) ?? false;
    const use = { role: 'read', services, listsContainers } as const;
    return [
      ...reading.flatMap((named) => problem(named, sasProblem(named.alias, settings, use))),
      ...[...vault, ...deleting].flatMap((named) => problem(named, readOnly(named))),
      ...vault.flatMap((named) => problem(named, sasProblem(named.alias, settings, ofVault))),
    ];
  });
}

/** Problems of an account to delete with that is not the account of the destination. */
function otherVault(draft: Draft, accounts: Map<string, AccountConnection>): ConfigurationProblem[] {
  const resolved = (named: NamedAccount[]) =>
    named.flatMap(({ place, alias }) => {
      const connection = accounts.get(alias);
      // An account that does not resolve has a problem of its own.
      return connection ? [{ place, alias, identity: blobServiceIdentity(connection) }] : [];
    });
  const what = draft.kind === 'job' ? 'the job prunes' : 'the rule keeps its receipts';
  return resolved(draft.vault).flatMap((vault) =>
    resolved(draft.deleting)
      .filter(({ identity }) => identity !== vault.identity)
      .map(({ place, alias }) => ({
        place,
        message:
          `${alias} is not the same storage account as ${vault.alias}, which the ${draft.kind} copies to and where ` +
          `${what}; name an alias of that account, or remove this option`,
      })),
  );
}
