import { setTimeout as sleep } from 'node:timers/promises';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { Check } from '#domain/rights/check.ts';
import { type Need, neededRights, type Uses } from '#domain/rights/needed-rights.ts';
import { defined } from '#domain/run/defined.ts';
import { answering, reply } from '../http/answering.ts';
import { AskedAccount } from './asked-account.ts';
import { AskedQueues } from './asked-queues.ts';

/** Milliseconds for all accounts together. What has not been answered then is unknown. */
const IN_ALL_MS = 20_000;

/**
 * POST /api/checks — what each account allows, needs and lacks. It asks the accounts side by side, and callers who come
 * while it does, or soon after, get the same answer.
 */
export function checkRightsHandler(deps: Dependencies) {
  let known: { checks: Promise<Check[]>; until: number } | undefined;
  const ask = (): Promise<Check[]> => {
    if (known && deps.now().getTime() < known.until) return known.checks;
    const asked = { checks: checkRights(deps), until: Number.POSITIVE_INFINITY };
    known = asked;
    const end = () => {
      asked.until = deps.now().getTime() + deps.limits.sharedMs;
    };
    asked.checks.then(end, end);
    return asked.checks;
  };
  return answering(deps, OPERATIONS.checkRights, async () => reply(200, await ask()));
}

async function checkRights(deps: Dependencies): Promise<Check[]> {
  const { accounts: connections } = deps.configuration;
  const uses = usesOf(deps);
  const needs = neededRights(uses, (alias) => !('connectionString' in connections.get(alias)!));
  const aliasesOf = (some: Need[]) => [...new Set(some.map(({ alias }) => alias))];
  const [ofQueues, ofAccounts] = [needs.filter(isOfQueue), needs.filter((need) => !isOfQueue(need))];
  const queues = new Map(aliasesOf(ofQueues).map((name) => [name, new AskedQueues(deps, name)]));
  const accounts = new Map(aliasesOf(ofAccounts).map((alias) => [alias, new AskedAccount(deps, alias, uses)]));
  const askAll = async (some: AskedAccount[]) => {
    await Promise.all(some.map((account) => account.ask(ofAccounts)));
  };
  const askAccounts = async () => {
    const all = [...accounts.values()];
    await askAll(all.filter(({ side }) => side !== 'prune'));
    // Of a vault whose objects are there by now.
    await askAll(all.filter(({ side }) => side === 'prune'));
  };
  const ended = new AbortController();
  const late = sleep(IN_ALL_MS, undefined, { signal: ended.signal, ref: false }).catch(() => {});
  const work = Promise.all([askAccounts(), ...[...queues.values()].map((each) => each.ask())]);
  await Promise.race([work, late]);
  ended.abort();
  return needs.map((need) => (isOfQueue(need) ? queues : accounts).get(need.alias)!.check(need));
}

function isOfQueue({ right }: Need): boolean {
  return right === 'read-queue';
}

function usesOf({ configuration: { jobs, archives, otherAccounts } }: Dependencies): Uses {
  return {
    jobs: jobs.map(({ name, source, destination, retention }) => ({
      ...{ name, source, destination },
      ...(retention && { retention: defined({ account: retention.account }) }),
    })),
    archives: archives.map(({ name, source, destination, receipts, events }) => ({
      ...{ name, source, destination },
      ...(receipts && { receipts: defined({ account: receipts.account }) }),
      ...(events && { events: defined({ queue: events.queue, queueAccount: events.queueAccount }) }),
    })),
    otherAccounts,
  };
}
