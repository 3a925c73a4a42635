import type { ShownProof } from '#api/proof.ts';

type Verification = ShownProof['verifications'][number];

/** A proof as lines of plain text, to be printed or filed. */
export function proofText(proof: Omit<ShownProof, 'text'>): string[] {
  const { at, version, restorePoint: point, summary, parts, record, verifications, more, chain } = proof;
  const { skipped, failed, containers, tables } = point.lacks;
  return [
    `Proof of restore point ${point.id}`,
    `Made at ${at} by Strongroom ${version}.`,
    '',
    `Job ${point.job}: ${point.source} to ${point.vault}`,
    `Backed up from ${point.startedAt} to ${point.finishedAt ?? 'an unknown time'} (${point.mode}), ${point.status}.`,
    `Holds ${point.blobs} blobs in ${point.containers} containers, and ${point.entities} entities in ${point.tables} ` +
      `tables${point.bytes === null ? '' : `; ${point.bytes} bytes`}.`,
    `Lacks ${skipped} skipped and ${failed} failed items, ${containers.length} containers and ${tables.length} tables.`,
    ...(point.hold ? [`Held since ${point.hold.at}: ${point.hold.reason}`] : []),
    ...(point.brake && point.brake.released === undefined ? [`Safety brake: ${point.brake.reason}`] : []),
    ...(point.removed ? [`Marked for removal at ${point.removed.at} by run ${point.removed.run}.`] : []),
    '',
    `Summary ${summary.path}`,
    `  SHA-256 ${summary.sha256}, ${comparison(summary.isAsRecorded)}`,
    `  names its ${parts} parts by their SHA-256.`,
    record
      ? `Record ${record.number} of the chain, of ${record.at}, SHA-256 ${record.sha256}`
      : 'The chain has no record of it.',
    `The chain has ${chain.records} records${chain.head ? `; the last has SHA-256 ${chain.head.sha256}` : ''}.`,
    ...(chain.problem === null ? [] : [`Problem of the chain: ${chain.problem}`]),
    '',
    ...(verifications.length === 0 ? ['No verification is on record.'] : verifications.flatMap(linesOf)),
    ...(more > 0 ? [`${more} earlier verifications are on record.`] : []),
  ];
}

function linesOf(verification: Verification): string[] {
  const { run, kind, portion, finishedAt, by, trigger, items, read, failed, isSound, record, summary } = verification;
  const how = portion === null ? kind : `${kind}, ${portion} of the content`;
  const who = by?.name ?? (trigger === 'http' ? 'a call' : 'a schedule or another run');
  return [
    `Verified at ${finishedAt ?? record.at} (${how}): ${isSound ? 'nothing wrong' : 'DAMAGED'}`,
    `  ${items} items checked, ${read} of them read, ${failed} failed. Run ${run}, started by ${who}.`,
    `  Record ${record.number}, SHA-256 ${record.sha256}; its summary is ${comparison(summary.isAsRecorded)}`,
  ];
}

function comparison(isAsRecorded: boolean | null): string {
  if (isAsRecorded === null) return 'not on record';
  return isAsRecorded ? 'as recorded' : 'NOT AS RECORDED';
}
