import { isDeepStrictEqual } from 'node:util';

/**
 * Compares the notes of a restore point with the chain: both have every hold, safety brake, removal and proof. What
 * runs in progress have noted has no record yet.
 */
export async function checkNotes(documents, chain, point, running) {
  const path = `jobs/${documents.job}/restore-points/${point.id}.json`;
  const found = await documents.readJson(path);
  if (found && !found.value) return documents.find('altered', path, 'it is not JSON');
  const notes = found?.value ?? {};
  documents.checkMetadata(path, 'strongroom_notes', (shown) => isDeepStrictEqual(shown, notes));
  for (const how of [
    wrongHold(notes, point),
    wrongBrake(notes, point),
    wrongRemoval(notes, point, chain, running),
    ...wrongProofs(notes, point, chain, running),
  ]) {
    if (how !== undefined) documents.find(found ? 'altered' : 'missing', path, how);
  }
  for (const how of unrecorded(notes, point)) documents.remarks.push({ where: path, how });
}

function wrongHold({ hold }, { held, lifted }) {
  const expected = [...held.values()].filter(({ at }) => !lifted.has(at));
  return expected.length > 0 && !hold ? 'the hold that the chain records is not noted' : undefined;
}

function wrongBrake({ brake }, { record, released }) {
  if (record.brake && brake?.reason !== record.brake) return 'the safety brake that the chain records is not noted';
  if (brake?.released === undefined || brake.released === released?.released) return undefined;
  return 'no record releases the safety brake';
}

/** What a process that died between the two writes leaves. */
function* unrecorded({ hold, brake, removed }, { record, held, lifted, unmarked, released }) {
  if (removed && unmarked.has(removed.run)) yield 'the unmark that the chain records is not noted';
  const expected = [...held.values()].filter(({ at }) => !lifted.has(at));
  if (hold && !isDeepStrictEqual([hold], expected)) yield 'no record of the chain sets this hold';
  if (brake && brake.released === undefined) {
    if (!record.brake) yield 'no record engages this safety brake';
    if (released) yield 'the release that the chain records is not noted';
  }
}

function wrongRemoval({ removed }, point, { prunes }, running) {
  if (!removed) {
    const isUnmarked = !point.removed || point.unmarked.has(point.removed.run);
    return isUnmarked ? undefined : `prune ${point.removed.run} marked it as removed, and that is not noted`;
  }
  if (
    running.has(removed.run) ||
    prunes.some((prune) => prune.run === removed.run && prune.removed.includes(point.id))
  ) {
    return undefined;
  }
  return `no record says that prune ${removed.run} removes it`;
}

function wrongProofs({ proofs = [] }, { id, proofs: recorded }, { verifications }, running) {
  const forged = proofs.filter(
    (proof) => !running.has(proof.run) && !verifications.some((record) => record.point === id && isOf(record, proof)),
  );
  const lost = [...recorded.values()].filter(
    (record) => !proofs.some(({ run }) => run === record.run || running.has(run)),
  );
  return [
    ...forged.map(({ run }) => `no record has this result of verification ${run}`),
    ...lost.map(({ run }) => `the result of verification ${run} is not noted`),
  ];
}

function isOf(record, { run, kind, items, read, failed }) {
  const { verify, items: checked, read: bytes, failed: bad } = record;
  return record.run === run && isDeepStrictEqual([verify, checked, bytes, bad], [kind, items, read, failed]);
}
