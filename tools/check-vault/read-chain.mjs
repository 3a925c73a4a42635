import { isDeepStrictEqual } from 'node:util';
import { sha256Of } from './documents.mjs';

const FORMAT = 1;
/** Of the names of emptied restore points in metadata. */
const MOST_CHARACTERS = 4000;

/**
 * Reads the records of a chain in order, checks that each continues from the one before it, and returns what they say.
 * A `head` from elsewhere fixes every record up to it.
 */
export async function readChain(documents, head) {
  const chain = { records: 0, head: undefined, points: new Map(), verifications: [], prunes: [] };
  const prefix = `jobs/${documents.job}/chain/`;
  let before;
  for (const path of [...documents.paths()].filter((each) => each.startsWith(prefix)).sort()) {
    const number = numberIn(path.slice(prefix.length));
    if (number === undefined) {
      documents.find('forged', path, 'it is not a record');
      continue;
    }
    const expected = (before?.number ?? 0) + 1;
    if (number !== expected) documents.find('missing', `${prefix}${nameOf(expected)}`, `record ${number} follows`);
    const found = await documents.readJson(path);
    if (!found) continue;
    const link = { number, sha256: sha256Of(found.bytes) };
    if (isRecord(documents, path, found.value, { number, before: number === expected ? before : undefined })) {
      note(chain, found.value);
    }
    if (head?.number === number && head.sha256 !== link.sha256) {
      documents.find('altered', path, 'its SHA-256 is not that of the head that was kept: the chain was rewritten');
    }
    chain.records++;
    before = link;
  }
  if (!before) documents.find('missing', prefix, 'there is no record');
  chain.head = before;
  if (head && (before?.number ?? 0) < head.number) {
    documents.find(
      'cut-short',
      prefix,
      `it ends with record ${before?.number ?? 0}; the head that was kept is ${head.number}`,
    );
  }
  return chain;
}

function isRecord(documents, path, record, { number, before }) {
  if (record?.format !== FORMAT || record.job !== documents.job || typeof record.kind !== 'string') {
    documents.find('altered', path, `it is not a record of format ${FORMAT} of job "${documents.job}"`);
    return false;
  }
  if (record.number !== number) documents.find('forged', path, `it is record ${record.number}, under another number`);
  const isFirst = number === 1;
  if (isFirst ? record.previous !== null : before && record.previous !== before.sha256) {
    const which = isFirst ? 'nothing' : `record ${number - 1}`;
    documents.find('altered', path, `it does not continue from ${which}: one of the two was rewritten`);
  }
  documents.checkMetadata(path, 'strongroom_chain', (shown) => {
    const line = lineOf(record);
    // Names that are too many for metadata are only in the record.
    if (line.emptied?.join().length > MOST_CHARACTERS) line.emptied = undefined;
    return isDeepStrictEqual(shown, defined(line));
  });
  return true;
}

/** What the metadata of a record repeats. */
function lineOf({ kind, run, point, verify, summary, brake, emptied, hold, ends }) {
  const isBraked = kind === 'restore-point' && brake !== undefined ? true : undefined;
  return { kind, run, sha256: summary?.sha256, point, verify, brake: isBraked, emptied, at: hold?.at, ends };
}

function defined(members) {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** Adds what a record says to what the records before it said. */
function note(chain, record) {
  const point = chain.points.get(record.point);
  switch (record.kind) {
    case 'restore-point':
      chain.points.set(record.run, {
        id: record.run,
        record,
        held: new Map(),
        lifted: new Set(),
        unmarked: new Set(),
        proofs: new Map(),
      });
      return;
    case 'verification':
      chain.verifications.push(record);
      point?.proofs.set(record.verify, record);
      return;
    case 'prune':
      chain.prunes.push(record);
      for (const id of record.removed) Object.assign(chain.points.get(id) ?? {}, { removed: record });
      for (const id of record.emptied) Object.assign(chain.points.get(id) ?? {}, { emptied: record });
      return;
    case 'hold':
      point?.held.set(record.hold.at, record.hold);
      if (record.ends) point?.lifted.add(record.ends);
      return;
    case 'unhold':
      if (record.ends) point?.lifted.add(record.ends);
      for (const at of point?.held.keys() ?? []) point.lifted.add(at);
      return;
    case 'forget':
      if (point) point.emptied ??= record;
      return;
    case 'unmark':
      point?.unmarked.add(record.removed.run);
      return;
    case 'release':
      if (point) point.released ??= record;
  }
}

function numberIn(name) {
  return /^\d{10}\.json$/.test(name) ? Number(name.slice(0, 10)) : undefined;
}

function nameOf(number) {
  return `${String(number).padStart(10, '0')}.json`;
}
