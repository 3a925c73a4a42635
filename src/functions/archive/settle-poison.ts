import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf, receiptsOf } from '#app/job-context.ts';
import { type Poison, settledPoison } from '#domain/archive/poison.ts';
import { type SourceVersion, settledAs, standingOf } from '#domain/archive/receipt.ts';
import type { Settlement } from '#domain/archive/settlement.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import type { ReceiptStore } from '#storage/control/receipt-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { answering, reply } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { configuredRule } from './configured-rule.ts';
import { poisonNotFound } from './poison-not-found.ts';

/** How often a write to a receipt is tried while other owners change it. */
const MOST_ROUNDS = 5;

/**
 * POST /api/archives/{rule}/poison/{id}/settle — an operator settles that an upload is not archived. First the receipt
 * of the version says so, then the entry: after a crash in between, nothing archives the version, and the entry is open
 * until the call is repeated or a reconcile finds the receipt. Another version of the upload is not affected.
 */
export function settlePoisonHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.settlePoison, async ({ params: { rule: named, id }, body, caller: { by } }) => {
    const { name: rule } = configuredRule(deps, named);
    const store = new PoisonStore(jobContextOf(deps, rule).control, rule);
    const entry = /^[0-9a-f]{32}$/.test(id) ? await store.read(id) : undefined;
    const isArchived = entry?.state === 'settled' && entry.settlement === undefined;
    if (!entry || isArchived) throw poisonNotFound(rule, id);
    if (entry.settlement) return answer(rule, entry);
    const now = deps.now();
    const settlement = { at: now.toISOString(), reason: body.reason, by };
    const end = await settleVersion(deps, entry, settlement);
    let settled = entry;
    await store.change(id, (before) => {
      if (before?.state !== 'open') {
        // Another call has settled it, or a run has archived it.
        settled = before ?? entry;
        return undefined;
      }
      if (before.at !== entry.at) {
        // Perhaps with another version.
        throw new HttpError(409, 'being-archived', 'It failed again meanwhile', 'Call again.');
      }
      settled = settledPoison(before, now, end.settlement);
      return settled;
    });
    return answer(rule, settled);
  });
}

function answer(rule: string, { id, problem, settledAt, settlement }: Poison) {
  return reply(200, {
    ...{ rule, id, code: problem.code, settledAt: settledAt ?? null, settlement: settlement ?? null },
  });
}

/** How the version that failed has ended: by the decision of an operator, or archived by now. */
interface End {
  settlement?: Settlement;
}

/** Ends the receipt of the version that failed, unless it is archived, or settled before. */
async function settleVersion(deps: Dependencies, entry: Poison, settlement: Settlement): Promise<End> {
  const { rule, name } = entry;
  const receipts = receiptsOf(deps, rule);
  const known = entry.etag === undefined ? undefined : (await receipts.read(name, entry.etag))?.value;
  // What has a receipt can be settled also if the source is not there any more, or refuses this app.
  const present = known ? undefined : await presentVersion(deps, entry);
  const etag = entry.etag ?? present?.etag;
  // Nothing of it is left.
  if (etag === undefined) return { settlement };
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const end = await endVersion(receipts, { entry, etag, present, settlement, now: deps.now() });
    if (end) return end;
  }
  throw new StorageError('precondition', `Other writers keep changing the receipt of ${name}`);
}

interface Settling {
  entry: Poison;
  etag: string;
  present: SourceVersion | undefined;
  settlement: Settlement;
  now: Date;
}

/** Undefined if another writer was first. */
async function endVersion(
  receipts: ReceiptStore,
  { entry: { rule, name }, etag, present, settlement, now }: Settling,
): Promise<End | undefined> {
  const found = await receipts.read(name, etag);
  const standing = standingOf(found?.value, '', now);
  if (standing.is === 'ended') return {};
  // Another call has, and ended before it could close the entry: its decision counts.
  if (standing.is === 'settled') return { settlement: found?.value?.settlement ?? settlement };
  if (standing.is === 'held') {
    const seconds = Math.ceil(standing.forMs / 1000);
    const message = 'An event or run is archiving this version';
    throw new HttpError(409, 'being-archived', message, `If it fails, call again: its claim ends in ${seconds} s`);
  }
  const source = found?.value?.source ?? (present?.etag === etag ? present : undefined);
  // A version that is gone cannot be archived, and needs no receipt.
  if (!source) return { settlement };
  const receipt = settledAs(found?.value, rule, source, settlement);
  const written = await receipts.write(receipt, found ? { ifMatch: found.etag } : 'absent');
  return written === undefined ? undefined : { settlement };
}

/** Of the source, as a receipt names it. */
async function presentVersion(deps: Dependencies, { rule, name }: Poison): Promise<SourceVersion | undefined> {
  const { source, job } = jobContextOf(deps, rule);
  const container = job.source.containers[0]!;
  if (!source.canAddress(container, name)) return undefined;
  const blob = await source.getProperties(container, name);
  if (!blob) return undefined;
  const { etag, lastModified: modified, size } = blob;
  return { account: source.endpoint, container, name, etag, modified, size };
}
