import { isLiteral } from '../blobs/container-pattern.ts';
import { RIGHTS, type Right } from './right.ts';

/** What the configuration uses accounts for. */
export interface Uses {
  jobs: readonly {
    name: string;
    source: { account: string; containers: readonly string[]; tables: readonly string[] };
    destination: { account: string };
    retention?: { account?: string };
  }[];
  archives: readonly {
    name: string;
    source: { account: string; container: string };
    destination: { account: string };
    events?: { queue?: string; queueAccount?: string } | undefined;
    receipts?: { account?: string } | undefined;
  }[];
  /** Accounts that only restores write to. */
  otherAccounts: readonly string[];
}

/** A right to look at. */
export interface Need {
  alias: string;
  right: Right;
  /** Whether runs fail or lack something without it. */
  needed: boolean;
  /** Jobs and archive rules that it concerns. */
  for: string[];
}

/** How an alias is used. Of several uses, the first of these decides which role has its rights. */
export type Side = 'vault' | 'prune' | 'source';

/** The rights of all accounts to look at, by alias and in the order of `RIGHTS`. */
export function neededRights(uses: Uses, isIdentity: (alias: string) => boolean): Need[] {
  const needs = new Map<string, Need>();
  const add = (alias: string, rights: readonly Right[], needed: boolean, of: string[]) => {
    for (const right of rights) {
      // Only an identity signs with a key that it has to ask for.
      if (right === 'sign-copies' && !isIdentity(alias)) continue;
      const key = `${alias} ${right}`;
      const need = needs.get(key) ?? { alias, right, needed: false, for: [] };
      // What one job needs is not for the others, which it is no use to.
      const names = needed === need.needed ? [...need.for, ...of] : needed ? of : need.for;
      needs.set(key, { ...need, needed: need.needed || needed, for: [...new Set(names)] });
    }
  };
  for (const job of uses.jobs) {
    const { containers, tables, account } = job.source;
    add(account, ofContainers(containers), true, [job.name]);
    add(account, ofTables(tables), true, [job.name]);
    add(job.destination.account, ofVault(containers.length > 0), true, [job.name]);
    add(job.destination.account, ADVISED, false, [job.name]);
    if (job.retention) add(job.retention.account ?? job.destination.account, OF_PRUNE, true, [job.name]);
  }
  for (const rule of uses.archives) {
    add(rule.source.account, ofContainers([rule.source.container]), true, [rule.name]);
    add(rule.destination.account, ofVault(true), true, [rule.name]);
    add(rule.destination.account, ADVISED, false, [rule.name]);
    if (rule.receipts) add(rule.receipts.account ?? rule.destination.account, OF_PRUNE, true, [rule.name]);
  }
  // The host reads it, by a connection that need not be that of an account.
  for (const { name, events } of uses.archives) {
    if (events?.queue !== undefined && events.queueAccount !== undefined) {
      add(events.queueAccount, ['read-queue'], true, [name]);
    }
  }
  for (const alias of uses.otherAccounts) add(alias, ['list-containers'], false, []);
  const aliases = [...new Set([...needs.values()].map(({ alias }) => alias))];
  const order = ({ alias, right }: Need) => aliases.indexOf(alias) * RIGHTS.length + RIGHTS.indexOf(right);
  return [...needs.values()].sort((a, b) => order(a) - order(b));
}

/** The need of only those who name one of these containers or tables, if it is only about these. */
export function concerned(need: Need, { jobs, archives }: Uses, places: readonly string[] | undefined): Need {
  if (!places) return need;
  const isTable = need.right === 'read-tables';
  const named = new Map<string, readonly string[]>([
    ...jobs.map(({ name, source }) => [name, isTable ? source.tables : source.containers] as const),
    ...archives.map(({ name, source }) => [name, [source.container]] as const),
  ]);
  return { ...need, for: need.for.filter((name) => places.some((place) => named.get(name)?.includes(place))) };
}

export function sideOf({ jobs, archives }: Uses, alias: string): Side {
  const all = [...jobs, ...archives];
  if (all.some(({ destination }) => destination.account === alias)) return 'vault';
  return all.some(({ source }) => source.account === alias) ? 'source' : 'prune';
}

function ofContainers(patterns: readonly string[]): Right[] {
  if (patterns.length === 0) return [];
  const lists = patterns.every(isLiteral) ? [] : (['list-containers'] as const);
  return [...lists, 'list-blobs', 'read-blobs', 'read-tags', 'sign-copies'];
}

function ofTables(patterns: readonly string[]): Right[] {
  if (patterns.length === 0) return [];
  return [...(patterns.every(isLiteral) ? [] : (['list-tables'] as const)), 'read-tables'];
}

function ofVault(hasBlobs: boolean): Right[] {
  const all: Right[] = ['list-containers', 'list-blobs', 'read-blobs', 'create-containers', 'write-blobs'];
  return hasBlobs ? [...all, 'write-tags', 'sign-copies'] : all;
}

/** Of a vault: what is good to have, and what is good not to have. */
const ADVISED: readonly Right[] = ['write-catalog', 'delete-blobs', 'soft-delete'];

const OF_PRUNE: readonly Right[] = ['list-blobs', 'read-blobs', 'delete-blobs'];
