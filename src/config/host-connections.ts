import { z } from 'zod';
import { addressProblem, parseAccountString } from '#domain/account-string.ts';
import { HUB_SETTING } from '#domain/run/task-hub.ts';
import type { AccountConnection } from '#storage/account-connection.ts';
import { serviceUriProblem } from './accounts.ts';
import { type AppSettings, settingOf } from './app-settings.ts';
import { blobTriggerSchema, connectionSchema, HOST_STORAGE } from './archives.ts';
import type { ConfigurationProblem } from './configuration-error.ts';
import { alias } from './schema-parts.ts';

/*
 * The host connects triggers itself, by app settings that it reads as they are. In Azure, a function whose connection
 * is wrong is left out, and only a log of the host says so.
 */

type Service = 'blob' | 'queue';

/** What triggers need of an account. */
interface Needed {
  /** The option that names the connection, or the setting if none does. */
  place: string;
  connection: string;
  services: Service[];
  /** What the host has there. */
  what: string;
}

const blobTriggers = z.object({
  source: z.object({ account: alias }),
  events: z.object({ blobTrigger: blobTriggerSchema }),
});
const queueTriggers = z.object({
  events: z.object({ queue: z.string(), queueAccount: connectionSchema.optional() }),
});

/**
 * Problems of the settings that the host reads: of the connections of all triggers, and of its own storage and task
 * hub. `rules` may be any value. `accounts` are the aliases that have no problem of their own.
 */
export function hostConnectionProblems(from: {
  rules: unknown;
  accounts: ReadonlyMap<string, AccountConnection>;
  settings: AppSettings;
}): ConfigurationProblem[] {
  const { rules, accounts, settings } = from;
  const needed = Array.isArray(rules) ? rules.flatMap(neededBy) : [];
  // The command line bundles this for Node 20, which has no Map.groupBy.
  const byConnection = new Map<string, Needed[]>();
  for (const each of needed) byConnection.set(each.connection, [...(byConnection.get(each.connection) ?? []), each]);
  const problems = [...byConnection.values()].flatMap((mentions) => {
    const [first] = mentions as [Needed, ...Needed[]];
    if (first.place.endsWith('.source.account') && !accounts.has(first.connection)) return [];
    const services = [...new Set(mentions.flatMap((each) => each.services))];
    return connectionProblems({ ...first, services }, settings).map((message) => ({ place: first.place, message }));
  });
  if (!byConnection.has(HOST_STORAGE)) problems.push(...storageProblems(settings));
  return [...blankProblems([HOST_STORAGE, ...byConnection.keys()], settings), ...problems];
}

function neededBy(rule: unknown, index: number): Needed[] {
  const queue = queueTriggers.safeParse(rule).data?.events;
  const source = blobTriggers.safeParse(rule).data?.source;
  const place = `archives[${index}]`;
  const needed: Needed[] = [];
  if (queue) {
    const named = queue.queueAccount;
    needed.push({
      place: named === undefined ? HOST_STORAGE : `${place}.events.queueAccount`,
      connection: named ?? HOST_STORAGE,
      services: ['queue'],
      what: 'the queue of events',
    });
  }
  if (source) {
    const poison = { services: ['queue' as const], what: 'the poison queue of blob triggers' };
    needed.push({ place: `${place}.source.account`, connection: source.account, ...poison });
    const what = 'what it notes of blob triggers';
    needed.push({ place: HOST_STORAGE, connection: HOST_STORAGE, services: ['blob', 'queue'], what });
  }
  return needed;
}

function connectionProblems({ connection, services, what }: Needed, settings: AppSettings): string[] {
  const setting = asSetting(connection);
  const text = settingOf(settings, setting);
  if (text !== undefined) {
    const problems = services.flatMap((service) => stringProblems(text, service));
    return [...new Set(problems)].map((problem) => `the app setting "${setting}" ${problem}`);
  }
  const uriOf = (service: Service) => settingOf(settings, `${setting}__${service}ServiceUri`);
  const wrong = services.flatMap((service) => {
    const uri = uriOf(service);
    const problem = uri === undefined ? undefined : serviceUriProblem(uri, service);
    return problem === undefined ? [] : [`the app setting "${setting}__${service}ServiceUri" ${problem}`];
  });
  const unknown = services.filter((service) => uriOf(service) === undefined);
  if (unknown.length === 0 || settingOf(settings, `${setting}__accountName`) !== undefined) return wrong;
  const addresses = unknown.map(
    (service) => `"${setting}__${service}ServiceUri", such as https://myaccount.${service}.core.windows.net`,
  );
  const isIdentity = (['blob', 'queue'] as const).some((service) => uriOf(service) !== undefined);
  const remedy = isIdentity ? 'add ' : `add "${setting}" with a connection string, or for a managed identity `;
  const where = `the host has ${what} in the account "${connection}", and no app setting has its address`;
  return [...wrong, `${where}; ${remedy}${addresses.join(', and ')}`];
}

/** Mistakes in the storage of the host, where no trigger needs it: in Azure, no host starts with them. */
function storageProblems(settings: AppSettings): ConfigurationProblem[] {
  const text = settingOf(settings, HOST_STORAGE);
  const ofText = text === undefined ? [] : stringProblems(text, 'blob').map((each) => [HOST_STORAGE, each] as const);
  const ofAddresses = (['blob', 'queue', 'table'] as const).flatMap((service) => {
    const setting = `${HOST_STORAGE}__${service}ServiceUri`;
    const uri = settingOf(settings, setting);
    const problem = uri === undefined ? undefined : serviceUriProblem(uri, service);
    return problem === undefined ? [] : [[setting, problem] as const];
  });
  return [...ofText, ...ofAddresses].map(([setting, problem]) => ({
    place: HOST_STORAGE,
    message: `the app setting "${setting}" ${problem}`,
  }));
}

/** In app settings, two underscores stand for a colon. */
function asSetting(connection: string): string {
  return connection.replaceAll(':', '__');
}

/** Problems of a connection string, in words that follow the name of the setting. */
function stringProblems(text: string, service: Service): string[] {
  const part = (name: string) => new RegExp(`(?:^|;)\\s*${name}\\s*=\\s*([^;]*)`, 'i').exec(text)?.[1]?.trim();
  const queues = service === 'queue' ? part('QueueEndpoint') : undefined;
  const problem = queues === undefined ? undefined : addressProblem(queues, 'queue');
  if (problem !== undefined) return [`has a queue endpoint that ${problem}`];
  const isNamed = part('AccountName') !== undefined || part('UseDevelopmentStorage') !== undefined;
  // A string with a signature may be for queues alone.
  if (queues !== undefined && !isNamed && part('BlobEndpoint') === undefined) return [];
  const parsed = parseAccountString(text, new Date());
  if ('problems' in parsed) return parsed.problems;
  if (service === 'blob' || queues !== undefined || isNamed) return [];
  return [
    'does not show the address of the queues; add "QueueEndpoint=…", such as https://myaccount.queue.core.windows.net',
  ];
}

/** The app takes a setting without the blanks around it, and the host with them. */
function blankProblems(connections: readonly string[], settings: AppSettings): ConfigurationProblem[] {
  const names = new Set(connections.map(asSetting));
  return Object.entries(settings)
    .filter(([name, value]) => value !== undefined && value !== value.trim() && isOfHost(name, names))
    .map(([name]) => ({
      place: name,
      message: `the app setting "${name}" has blanks around its value, which the host takes as part of it; remove them`,
    }));
}

function isOfHost(setting: string, connections: ReadonlySet<string>): boolean {
  if (setting === HUB_SETTING || connections.has(setting)) return true;
  return [...connections].some((connection) => setting.startsWith(`${connection}__`));
}
