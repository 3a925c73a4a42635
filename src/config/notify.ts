import { z } from 'zod';
import { nearest } from '#domain/input/nearest.ts';
import { optionPath } from '#domain/input/option-path.ts';
import { scheduleProblem, timeZoneProblem } from '#domain/run/schedule.ts';
import { CONDITION_NAMES, SEVERITIES } from '#domain/watch/conditions.ts';
import { durationProblem } from '#domain/watch/duration.ts';
import { RUN_ENDS } from '#domain/watch/run-end.ts';
import type { Severities } from '#domain/watch/severities.ts';
import { type AppSettings, settingOf } from './app-settings.ts';
import type { ConfigurationProblem } from './configuration-error.ts';
import { text } from './schema-parts.ts';

/** Addresses of channels are secrets: anyone who knows one can write to it. So options name app settings. */
export const settingName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, {
  error: 'this is the name of an app setting: a letter, then letters, digits and "_", at most 63 characters',
});

export const duration = text(durationProblem);

const PING =
  'App setting with the address of a check, as at healthchecks.io: Strongroom reports to it when a run starts and ' +
  'how it ends.';

export const pingSchema = settingName.exactOptional().describe(PING);

/** A check of runs that may complete with failures and still be as good as expected. */
export const checkSchema = z
  .union(
    [
      settingName,
      z.strictObject({
        url: settingName.describe(PING),
        incomplete: z
          .enum(['fail', 'ok'])
          .default('fail')
          .describe('What a run that completed with failures is to the check.'),
      }),
    ],
    { error: 'this must be the name of an app setting, or { "url": "…", "incomplete": "ok" } with one' },
  )
  .exactOptional()
  .describe(PING);

const channelSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, {
      error: 'the name of a channel has 1 to 40 lower-case letters, digits and hyphens',
    })
    .describe('Name of the channel: lower case, unique.'),
  kind: z
    .enum(['webhook', 'teams', 'slack', 'ntfy', 'email'])
    .describe(
      'What receives the messages. `webhook` gets JSON with a signature by the Standard Webhooks specification.',
    ),
  url: settingName
    .exactOptional()
    .describe('App setting with the address of the channel; not for `email`. It begins with `https:`.'),
  secret: settingName
    .exactOptional()
    .describe('Of a `webhook`: app setting with the key of signatures, `whsec_` and 24 to 64 bytes in Base64.'),
  token: settingName.exactOptional().describe('Of `ntfy`: app setting with an access token.'),
  endpoint: settingName
    .exactOptional()
    .describe(
      'Of `email`: app setting with the address of an Azure Communication Services resource. The app sends with its ' +
        'identity.',
    ),
  from: z.string().min(3).exactOptional().describe('Of `email`: address of the sender, in a domain of that resource.'),
  to: z.array(z.string().min(3)).min(1).max(50).exactOptional().describe('Of `email`: addresses of the recipients.'),
});

const REPORTED = [...CONDITION_NAMES, ...RUN_ENDS] as const;
const CONDITIONS = ['all', ...SEVERITIES, ...REPORTED] as const;

const severitySchema = z.enum(SEVERITIES).exactOptional();
type SeverityOf = Record<(typeof REPORTED)[number], typeof severitySchema>;
/** Each name is an option, so that an unknown one is refused with the one that was meant. */
const severitiesSchema = z.strictObject(
  Object.fromEntries(REPORTED.map((name) => [name, severitySchema])) as SeverityOf,
);

const routeSchema = z.strictObject({
  to: z.array(z.string()).min(1).describe('Names of channels.'),
  when: z
    .array(z.enum(CONDITIONS))
    .min(1)
    .describe('Severities, names of conditions or of ends of runs (`restored`, `pruned`, `cancelled`), or `all`.'),
  jobs: z.array(z.string()).min(1).exactOptional().describe('Jobs and archive rules. Default: all, and accounts.'),
  repeat: duration
    .exactOptional()
    .describe('Report a condition again while it is open, after this time, for example `24h`. Default: never.'),
  recovered: z.boolean().default(true).describe('Whether to report that a condition has closed.'),
  digest: text(scheduleProblem)
    .exactOptional()
    .describe('Collect messages and send them as one, by this schedule. Default: send each at once.'),
  always: z
    .boolean()
    .exactOptional()
    .describe(
      'With `digest`: send one also if there is nothing to report. It says how everything stands. Default: no.',
    ),
});

/** The option `notify`. */
export const notifySchema = z.strictObject({
  every: text(scheduleProblem)
    .default('0 */5 * * * *')
    .describe('Schedule of the watch, which looks for conditions. Default: every five minutes.'),
  timeZone: text(timeZoneProblem).default('UTC').describe('IANA time zone of `digest`.'),
  channels: z.array(channelSchema).max(20).default([]).describe('Where messages go.'),
  send: z.array(routeSchema).max(50).default([]).describe('Which channel gets which conditions.'),
  link: text(linkProblem)
    .exactOptional()
    .describe('Address where people look at runs, which messages link to. It begins with `https:`.'),
  severity: severitiesSchema.default({}).describe('Severities of conditions and ends of runs, by name.'),
  names: z.boolean().default(true).describe('Whether messages name containers and tables. They never name blobs.'),
});

/** A link is no secret: it is in each message. */
function linkProblem(link: string): string | undefined {
  const url = URL.parse(link);
  const problem = url ? addressOfWeb(url) : 'is no address; it must begin with https://';
  if (problem !== undefined) return `the link ${problem}`;
  const hasMore = url!.search !== '' || url!.hash !== '';
  return hasMore ? 'the link has a query or a fragment; remove it: each message would carry a key in it' : undefined;
}

type Written = z.output<typeof notifySchema>;
export type ChannelKind = Written['channels'][number]['kind'];

/** A channel with the values of its app settings. They are secret: never log, store or send them. */
export interface Channel {
  name: string;
  kind: ChannelKind;
  /** The address of the channel; of `email`, of the resource. */
  url: string;
  secret?: string;
  token?: string;
  from?: string;
  to?: string[];
}

export interface Notify {
  every: string;
  timeZone: string;
  channels: Channel[];
  send: Written['send'];
  /** In the form that URLs have in headers. */
  link?: string;
  severity: Severities;
  names: boolean;
  /** The addresses of pings by the app setting that holds them: secrets, too. */
  pings: Map<string, string>;
}

type Field = 'url' | 'secret' | 'token' | 'endpoint' | 'from' | 'to';
const NEEDED: Record<ChannelKind, Field[]> = {
  webhook: ['url', 'secret'],
  teams: ['url'],
  slack: ['url'],
  ntfy: ['url'],
  email: ['endpoint', 'from', 'to'],
};
const POSSIBLE: Partial<Record<ChannelKind, Field[]>> = { ntfy: ['token'] };
const FIELDS: Field[] = ['url', 'secret', 'token', 'endpoint', 'from', 'to'];

/** A ping, and the option that names it. */
export interface NamedPing {
  place: string;
  setting: string;
}

/** Problems of the option `notify` and of pings, as far as they are valid on their own. */
export function notifyProblems(
  value: unknown,
  { settings, jobs, pings }: { settings: AppSettings; jobs: readonly string[]; pings: readonly NamedPing[] },
): ConfigurationProblem[] {
  const problems = pings.flatMap(({ place, setting }) => at(place, addressProblem(setting, settings)));
  const notify = notifySchema.safeParse(value ?? {}).data;
  if (!notify) return problems;
  const { channels, send } = notify;
  const names = channels.map(({ name }) => name);
  return [
    ...problems,
    ...channels.flatMap((channel, index) =>
      channelProblems(channel, optionPath(['notify', 'channels', index]), settings),
    ),
    ...names.flatMap((name, index) => {
      const place = optionPath(['notify', 'channels', index, 'name']);
      if (names.indexOf(name) < index) return at(place, `another channel has the name "${name}"; choose another name`);
      const isUsed = send.some(({ to }) => to.includes(name));
      return isUsed ? [] : at(place, 'no entry of "send" names this channel, so it would get nothing');
    }),
    ...send.flatMap(({ to, jobs: ofRoute = [], digest, always }, index) => [
      ...(always && digest === undefined
        ? at(optionPath(['notify', 'send', index, 'always']), 'this option needs "digest", which says when; add it')
        : []),
      ...unknown(to, names, optionPath(['notify', 'send', index, 'to']), 'channel'),
      ...unknown(ofRoute, jobs, optionPath(['notify', 'send', index, 'jobs']), 'job or archive rule'),
    ]),
  ];
}

function unknown(given: readonly string[], known: readonly string[], place: string, what: string) {
  return given
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const near = nearest(name, known);
      const hint = near === undefined ? `the names are: ${known.join(', ') || 'none'}` : `did you mean "${near}"?`;
      return at(place, `there is no ${what} "${name}"; ${hint}`);
    });
}

function channelProblems(channel: Written['channels'][number], place: string, settings: AppSettings) {
  const { kind } = channel;
  const allowed = [...NEEDED[kind], ...(POSSIBLE[kind] ?? [])];
  return [
    ...NEEDED[kind]
      .filter((field) => channel[field] === undefined)
      .flatMap((field) => at(`${place}.${field}`, `this option is missing; a channel of kind "${kind}" needs it`)),
    ...FIELDS.filter((field) => channel[field] !== undefined && !allowed.includes(field)).flatMap((field) =>
      at(`${place}.${field}`, `a channel of kind "${kind}" has no such option; remove it`),
    ),
    ...(['url', 'endpoint'] as const)
      .filter((field) => allowed.includes(field) && channel[field] !== undefined)
      .flatMap((field) => at(`${place}.${field}`, addressProblem(channel[field]!, settings))),
    ...(kind === 'webhook' && channel.secret ? at(`${place}.secret`, secretProblem(channel.secret, settings)) : []),
    ...(kind === 'ntfy' && channel.token ? at(`${place}.token`, missingProblem(channel.token, settings)) : []),
  ];
}

function at(place: string, message: string | undefined): ConfigurationProblem[] {
  return message === undefined ? [] : [{ place, message }];
}

function missingProblem(setting: string, settings: AppSettings): string | undefined {
  return settingOf(settings, setting) === undefined ? `the app setting "${setting}" is not set` : undefined;
}

/** Never repeats the address. */
function addressProblem(setting: string, settings: AppSettings): string | undefined {
  const missing = missingProblem(setting, settings);
  if (missing !== undefined) return missing;
  const url = URL.parse(settingOf(settings, setting)!);
  const problem = url ? addressOfWeb(url) : 'is no address; it must begin with https://';
  return problem === undefined ? undefined : `the app setting "${setting}" ${problem}`;
}

/** What is wrong with an address of the web, in words that follow what it is. */
function addressOfWeb(url: URL): string | undefined {
  if (url.username !== '' || url.password !== '')
    return 'has a user name or password in its address, which is not supported';
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback)) return undefined;
  return 'must be an address that begins with https:// (http:// for this machine only)';
}

function secretProblem(setting: string, settings: AppSettings): string | undefined {
  const missing = missingProblem(setting, settings);
  if (missing !== undefined) return missing;
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(settingOf(settings, setting)!) ?? [];
  const bytes = encoded === undefined ? 0 : Buffer.from(encoded, 'base64').length;
  if (bytes >= 24 && bytes <= 64) return undefined;
  return `the app setting "${setting}" must be "whsec_" and 24 to 64 bytes in Base64`;
}

/** With the values of app settings, which have no problems. */
export function resolveNotify(written: Written, settings: AppSettings, pings: readonly NamedPing[]): Notify {
  const settingValue = (setting: string) => settingOf(settings, setting)!;
  const { link, ...rest } = written;
  return {
    ...rest,
    ...(link !== undefined && { link: new URL(link).href }),
    channels: written.channels.map(({ name, kind, url, endpoint, secret, token, from, to }) => ({
      name,
      kind,
      url: settingValue((url ?? endpoint)!),
      ...(secret !== undefined && { secret: settingValue(secret) }),
      ...(token !== undefined && { token: settingValue(token) }),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    })),
    pings: new Map(pings.map(({ setting }) => [setting, settingValue(setting)])),
  };
}
