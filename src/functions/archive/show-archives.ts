import type { ShownRule } from '#api/archive-rules.ts';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf, receiptsOf } from '#app/job-context.ts';
import type { ArchiveRule } from '#config/configuration.ts';
import { permissionsOf } from '#domain/access/role.ts';
import { NO_RECEIPTS, withReceipts } from '#domain/archive/receipt-counts.ts';
import { scheduleWords } from '#domain/run/schedule-words.ts';
import { nextTimes } from '#domain/watch/next-start.ts';
import { settingOfCheck } from '#domain/watch/ping.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import { answering, reply } from '../http/answering.ts';
import { SharedAnswers } from '../http/shared-answers.ts';
import { configuredRule } from './configured-rule.ts';

/** How many times of the schedule are shown. */
const TIMES = 5;
/** Of receipts and of poison uploads: each page is a request, and has 5,000. */
const MOST_PAGES = 20;
/** A listing of receipts costs more than a list, and they become only more. */
const SHARED_TIMES = 15;

/** GET /api/archives — the archive rules as they are in force. Asks no storage. */
export function listArchivesHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.listArchives, async () =>
    reply(200, { archives: deps.configuration.archives.map((rule) => shownRule(rule, deps.now())) }),
  );
}

/** GET /api/archives/{rule} */
export function getArchiveHandler(deps: Dependencies) {
  const shared = new SharedAnswers<Awaited<ReturnType<typeof counted>>>(deps, SHARED_TIMES * deps.limits.sharedMs);
  return answering(deps, OPERATIONS.getArchive, async ({ params, caller: { roles } }) => {
    const rule = configuredRule(deps, params.rule);
    const { receipts, poison } = await shared.get([rule.name], () => counted(deps, rule.name));
    const name = permissionsOf(roles).includes('names') ? receipts.newest?.name : null;
    const newest = receipts.newest && { name: name ?? null, at: receipts.newest.at };
    return reply(200, { ...shownRule(rule, deps.now()), receipts: { ...receipts, newest }, poison });
  });
}

async function counted(deps: Dependencies, rule: string) {
  const [receipts, poison] = await Promise.all([countedReceipts(deps, rule), countedPoison(deps, rule)]);
  return { receipts, poison };
}

async function countedReceipts(deps: Dependencies, rule: string) {
  const store = receiptsOf(deps, rule);
  let counts = NO_RECEIPTS;
  let marker: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { receipts, next } = await store.list(marker === undefined ? {} : { marker });
    counts = withReceipts(counts, receipts);
    if (next === undefined) return { ...counts, isComplete: true };
    marker = next;
  }
  return { ...counts, isComplete: false };
}

/** By why they failed, and since when the oldest has. */
async function countedPoison(deps: Dependencies, rule: string) {
  const store = new PoisonStore(jobContextOf(deps, rule).control, rule);
  const codes: Record<string, number> = {};
  let open = 0;
  let oldest: string | null = null;
  let marker: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { entries, next } = await store.list('open', marker === undefined ? {} : { marker });
    for (const { code, since } of entries) {
      open++;
      codes[code] = (codes[code] ?? 0) + 1;
      if (oldest === null || since < oldest) oldest = since;
    }
    if (next === undefined) return { open, oldest, codes, isComplete: true };
    marker = next;
  }
  return { open, oldest, codes, isComplete: false };
}

function shownRule(rule: ArchiveRule, now: Date): ShownRule {
  const { name, timeZone, method, reconcile, source, destination, events, quietMinutes, receipts, ping } = rule;
  return {
    ...{ name, timeZone, method },
    reconcile: {
      ...{ schedule: reconcile, words: scheduleWords(reconcile) },
      next: nextTimes(reconcile, timeZone, now, TIMES).map((time) => time.toISOString()),
    },
    ...{ source, destination, events: events ?? null, quietMinutes: quietMinutes ?? null },
    receiptsKept: receipts ? { keepDays: receipts.keepDays, account: receipts.account ?? destination.account } : null,
    ping: ping === undefined ? null : settingOfCheck(ping),
  };
}
