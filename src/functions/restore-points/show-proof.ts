import pLimit from 'p-limit';
import { z } from 'zod';
import { OPERATIONS } from '#api/operations.ts';
import type { ShownProof } from '#api/proof.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { pointFacts } from '#domain/restore/point-facts.ts';
import { chainPath, summaryPath } from '#domain/run/control-paths.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { isSummary } from '#domain/run/summary-schema.ts';
import type { ListedRecord } from '#storage/control/chain-store.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { answering, reply } from '../http/answering.ts';
import { findPoint } from '../run/find-restore-point.ts';
import { proofText } from './proof-text.ts';

declare const STRONGROOM_VERSION: string;

/** Each is two requests, and older ones say less. */
const MOST_VERIFICATIONS = 100;
const READS_AT_ONCE = 8;

/** A record as far as a proof shows it. */
const recordSchema = z.looseObject({
  at: z.string(),
  previous: z.string().nullable(),
  summary: z.looseObject({ path: z.string(), sha256: z.string() }),
});
const verifiedSchema = recordSchema.extend({
  run: z.string(),
  verify: z.enum(['quick', 'deep', 'drill']),
  portion: z.string().optional(),
  ...{ items: z.int().nonnegative(), read: z.int().nonnegative(), failed: z.int().nonnegative() },
});

interface Job {
  control: ControlStore;
  job: string;
}

/** GET /api/restore-points/{id}/proof — one document for those who have to show that a backup was verified. */
export function showProofHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.showProof, async ({ params: { id } }) => {
    const { summary, control } = await findPoint(deps, id);
    const { job } = summary;
    const [notes, records, { damage }] = await Promise.all([
      control.readNotes(summary),
      control.chain.listRecords(job),
      control.chain.pointsOnRecord(job),
    ]);
    const own = records.find((each) => each.kind === 'restore-point' && each.run === id);
    const about = records.filter((each) => each.kind === 'verification' && each.point === id);
    const shown = about.slice(-MOST_VERIFICATIONS).toReversed();
    const atOnce = pLimit(READS_AT_ONCE);
    const verifications = await Promise.all(shown.map((each) => atOnce(() => verification({ control, job }, each))));
    const last = records.at(-1);
    const record = own && (await recordOf({ control, job }, own, recordSchema));
    const proof: Omit<ShownProof, 'text'> = {
      ...{ at: deps.now().toISOString(), version: STRONGROOM_VERSION },
      restorePoint: {
        ...{ id, job, mode: summary.mode, status: summary.status, startedAt: summary.startedAt },
        ...{ finishedAt: summary.finishedAt, by: summary.by ?? null },
        ...{ source: summary.source, vault: summary.vault, ...pointFacts(summary) },
        ...{ hold: notes.hold ?? null, brake: notes.brake ?? null, removed: notes.removed ?? null },
      },
      summary: (await summaryOf({ control, job }, id, record?.value.summary.sha256)).shown,
      parts: summary.parts.length,
      record: record?.shown ?? null,
      verifications: verifications.filter((each) => each !== undefined),
      more: about.length - shown.length,
      chain: {
        records: records.length,
        head: (last && (await control.chain.linkOf(job, last))) ?? null,
        problem: damage?.message ?? null,
      },
    };
    return reply(200, { ...proof, text: proofText(proof) });
  });
}

/** Undefined if the record is damaged: the chain then has a problem. */
async function verification(of: Job, listed: ListedRecord): Promise<ShownProof['verifications'][number] | undefined> {
  const record = await recordOf(of, listed, verifiedSchema);
  if (!record) return undefined;
  const { run, verify: kind, portion = null, items, read, failed, summary: named } = record.value;
  const { shown, value } = await summaryOf(of, run, named.sha256);
  return {
    ...{ run, kind, portion, startedAt: value?.startedAt ?? null, finishedAt: value?.finishedAt ?? null },
    ...{ trigger: value?.trigger ?? null, by: value?.by ?? null },
    ...{ items, read, failed, isSound: failed === 0, record: record.shown, summary: shown },
  };
}

async function recordOf<Value extends z.output<typeof recordSchema>>(
  { control, job }: Job,
  { number }: ListedRecord,
  schema: z.ZodType<Value>,
) {
  const found = await control.read(chainPath(job, number));
  const value = schema.safeParse(found?.value).data;
  if (!found || !value) return undefined;
  return { value, shown: { number, sha256: found.sha256, at: value.at, previous: value.previous } };
}

/** The summary of a run as its bytes are now, and what it says if it is the one on record. */
async function summaryOf({ control, job }: Job, id: string, recorded: string | undefined) {
  const path = summaryPath({ job, id });
  const found = await control.read(path);
  const isAsRecorded = recorded === undefined ? null : found?.sha256 === recorded;
  const isKnown = found && isAsRecorded !== false && isSummary(found.value, { job, id });
  const value: RunSummary | undefined = isKnown ? (found.value as RunSummary) : undefined;
  return { shown: { path, sha256: found?.sha256 ?? null, isAsRecorded }, value };
}
