// Checks what a vault holds against its chain. It shares no code with Strongroom: docs/vault-format.md is all it knows.

import { checkContent } from './content.mjs';
import { Documents, sha256Of } from './documents.mjs';
import { checkNotes } from './notes.mjs';
import { readChain } from './read-chain.mjs';

/**
 * Checks the chain of a job, and everything that its records name. `head` is a link that was kept elsewhere: without
 * one, a writer of the vault who rewrote the whole chain goes unnoticed. `content` also reads blobs.
 */
export async function checkVault(vault, { job, head, content = false }) {
  const documents = await Documents.open(vault, job);
  const { findings, remarks } = documents;
  const chain = await readChain(documents, head);
  const running = await runningRuns(documents);
  const points = [];
  for (const point of chain.points.values()) {
    const summary = await checkPoint(documents, point);
    if (summary) points.push({ ...point, summary });
  }
  const verifications = [];
  const cleared = await clearedRuns(documents, chain, running);
  for (const record of [...chain.verifications, ...chain.prunes]) {
    const isCleared = cleared.has(record.run);
    const summary = await documents.checkSummary(record, { parts: !isCleared });
    if (summary && !isCleared && record.kind === 'verification') verifications.push({ record, summary });
  }
  await findUnrecorded(documents, chain, running);
  for (const point of chain.points.values()) if (!point.emptied) await checkNotes(documents, chain, point, running);
  const blobs = content ? await checkContent(documents, points, verifications) : undefined;
  const { parts, files } = documents.counts;
  return {
    findings,
    remarks,
    head: chain.head,
    records: chain.records,
    restorePoints: points.length,
    parts,
    files,
    blobs,
  };
}

/** The summary of a restore point that no prune has emptied, and everything below it. */
async function checkPoint(documents, { id, record, emptied }) {
  if (!emptied) return documents.checkSummary(record);
  const { path, sha256 } = record.summary;
  // A prune that ended early leaves it to the next one.
  const left = await documents.read(path);
  if (left && sha256Of(left) !== sha256)
    documents.find('forged', path, `record ${emptied.number} says that prune ${emptied.run} emptied ${id}`);
  return undefined;
}

/** The runs in progress: what they have just written may have no record yet. */
async function runningRuns(documents) {
  const readers = [...documents.paths()].filter(
    (path) => path.startsWith(`jobs/${documents.job}/readers/`) && !documents.metadataOf(path).strongroom_ended,
  );
  const running = new Set();
  for (const path of [`locks/${documents.job}.json`, ...readers]) {
    const found = await documents.readJson(path);
    if (found?.value?.run) running.add(found.value.run.id);
  }
  return running;
}

/** The runs of which prunes have deleted everything but the summary, or are deleting it. */
async function clearedRuns(documents, { prunes }, running) {
  const cleared = new Set(prunes.flatMap((prune) => prune.cleared ?? []));
  for (const id of running) {
    const plan = await documents.readJson(`jobs/${documents.job}/runs/${id}/prune.json`);
    for (const run of plan?.value?.oldRuns ?? []) cleared.add(run);
  }
  return cleared;
}

/** Restore points that no record names: made by another writer, or their records were dropped. */
async function findUnrecorded(documents, { points }, running) {
  const summary = new RegExp(`^jobs/${documents.job}/runs/([^/]+)/run\\.json$`);
  for (const path of documents.paths()) {
    const [, id] = summary.exec(path) ?? [];
    if (id === undefined || points.has(id) || running.has(id)) continue;
    const found = await documents.readJson(path);
    if (!found?.value) documents.find('altered', path, 'it is not JSON');
    else if (found.value.restorePoint === true) documents.find('forged', path, 'no record names this restore point');
  }
}
