const HELD = new Set(['copied', 'unchanged']);

/**
 * Looks for the content of every blob of every restore point, one backup container after another, and reads it where a
 * deep verification has recorded its SHA-256. Nothing else can show that a blob is what it was.
 */
export async function checkContent(documents, points, verifications) {
  const counts = { held: 0, read: 0, archived: 0 };
  for (const destination of new Set(points.flatMap(({ summary }) => summary.parts.map(destinationOf)))) {
    if (destination === undefined) continue;
    const wanted = await wantedIn(documents, destination, points);
    const proofs = await proofsOf(documents, [...wanted.values()].flat(), verifications);
    const there = await blobsBy(documents, destination, wanted);
    for (const [name, entries] of wanted) {
      for (const entry of entries) {
        counts.held++;
        await checkEntry(documents, `${destination}/${name}`, { entry, proofs, there: there.get(name) ?? [] }, counts);
      }
    }
  }
  return counts;
}

function destinationOf({ container, destination }) {
  return container.startsWith('table.') ? undefined : destination;
}

/** What restore points need of a backup container, by the name of the backup blob. */
async function wantedIn(documents, destination, points) {
  const wanted = new Map();
  const known = new Set();
  for (const { summary } of points) {
    for (const part of summary.parts.filter((each) => destinationOf(each) === destination)) {
      const prefix = summary.destination.prefix.replaceAll('{container}', () => part.container);
      for (const { name, status, etag, size, vaultEtag, vaultName } of await documents.linesOf(part, summary.id)) {
        const key = keyOf(part.container, { name, etag, size });
        if (!HELD.has(status) || known.has(key)) continue;
        known.add(key);
        const blob = prefix + (vaultName ?? name);
        wanted.set(blob, [...(wanted.get(blob) ?? []), { key, container: part.container, etag, size, vaultEtag }]);
      }
    }
  }
  return wanted;
}

/** The SHA-256 on record of each entry: that of the last verification that read it, or carried it on from another. */
async function proofsOf(documents, entries, verifications) {
  const keys = new Set(entries.map(({ key }) => key));
  const containers = new Set(entries.map(({ container }) => container));
  const proofs = new Map();
  for (const { summary } of verifications) {
    for (const part of summary.parts.filter(({ container }) => containers.has(container))) {
      for (const line of await documents.linesOf(part, summary.id)) {
        const key = keyOf(part.container, line);
        const proved = line.proved?.sha256 ?? (isSound(line) ? line.sha256 : undefined);
        if (proved !== undefined && keys.has(key)) proofs.set(key, proved);
      }
    }
  }
  return proofs;
}

function isSound({ status, code }) {
  return status === 'unchanged' || code === 'content-unproved';
}

function keyOf(container, { name, etag, size }) {
  return JSON.stringify([container, name, etag, size]);
}

async function blobsBy({ vault }, container, wanted) {
  const there = new Map();
  for await (const blob of vault.list(container, { prefix: '', all: true })) {
    if (wanted.has(blob.name)) there.set(blob.name, [...(there.get(blob.name) ?? []), blob]);
  }
  return there;
}

async function checkEntry({ vault, findings }, where, { entry, proofs, there }, counts) {
  const { key, etag, size, vaultEtag } = entry;
  const holders = there.filter((blob) => blob.size === size && holds(blob, { etag, vaultEtag }));
  const say = (what, how) => findings.push({ what, where, how });
  if (holders.length === 0) return say('missing', `a restore point needs version ${etag} of it`);
  const proved = proofs.get(key);
  if (proved === undefined) return undefined;
  const readable = holders.filter(({ tier }) => tier !== 'Archive');
  if (readable.length === 0) {
    counts.archived++;
    return undefined;
  }
  counts.read++;
  for (const blob of readable) if ((await vault.sha256(where.split('/', 1)[0], blob)) === proved) return undefined;
  return say('altered', `version ${etag} of it has another SHA-256 than a verification recorded`);
}

function holds(blob, { etag, vaultEtag }) {
  return (vaultEtag !== undefined && blob.etag === vaultEtag) || blob.metadata?.strongroom_etag === etag;
}
