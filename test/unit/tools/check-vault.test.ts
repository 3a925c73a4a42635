import { createHash } from 'node:crypto';
import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it, test } from 'vitest';
import {
  holdHandler,
  releaseHandler,
  unholdHandler,
  unmarkHandler,
} from '#functions/restore-points/note-restore-point.ts';
import { httpRequest } from '../../support/builders/http-request.ts';
import { checkMemory } from '../../support/builders/memory-check.ts';
import { jobOf, Vault } from '../../support/builders/prune-vault.ts';
import { BACKUP, type Json, TamperedVault } from '../../support/builders/tampered-vault.ts';

async function ask(vault: Vault, handler: typeof holdHandler, id: string, body: object = {}): Promise<void> {
  const request = httpRequest({ params: { id }, body });
  const answer = await handler(vault.deps())(request, {} as DurableClient, {} as InvocationContext);
  expect(answer.status).toBe(200);
}

/** A vault after backups, verifications, prunes, holds, a safety brake and its release. */
async function eventful(): Promise<Vault> {
  const vault = new Vault({ sliceBlobs: 60 });
  vault.jobs = [
    jobOf('nightly', { retention: { keepLast: 2, marginHours: 2, brake: { percent: 50, blobs: 100, days: 30 } } }),
  ];
  for (let i = 0; i < 130; i++) vault.put(`blob ${i}`, `content ${i}`);
  const first = await vault.backup();
  await vault.verify(first.id, 'quick');
  for (let i = 0; i < 130; i++) vault.put(`blob ${i}`, `encrypted ${i}`);
  const braked = await vault.backup();
  await ask(vault, holdHandler, braked.id, { reason: 'audit' });
  await ask(vault, releaseHandler, braked.id);
  await vault.backup();
  await vault.run({ mode: 'full', dryRun: true });
  const last = await vault.backup();
  await vault.verify(last.id);
  await ask(vault, holdHandler, last.id, { reason: 'lawsuit' });
  await ask(vault, holdHandler, last.id, { reason: 'another lawsuit' });
  await ask(vault, unholdHandler, last.id);
  await ask(vault, unholdHandler, last.id);
  for (let i = 0; i < 3; i++) await vault.prune();
  return vault;
}

test('a vault that only Strongroom has written to is in order', async () => {
  const vault = await eventful();
  const { findings, remarks, ...checked } = await checkMemory(vault.vault, { job: 'nightly', content: true });
  expect([findings, remarks]).toEqual([[], []]);
  expect(checked).toMatchObject({ head: vault.heads.at(-1), records: vault.heads.length });
  expect(vault.chain().some((record) => record.kind === 'prune' && record.emptied.length > 0)).toBe(true);
});

test('a vault is in order by each head that it ever had', async () => {
  const vault = await eventful();
  for (const head of vault.heads) {
    expect((await checkMemory(vault.vault, { job: 'nightly', head })).findings).toEqual([]);
  }
});

const NOTING = [
  ['a hold', holdHandler, { reason: 'lawsuit' }],
  ['the end of a hold', unholdHandler, {}],
  ['the release of a brake', releaseHandler, {}],
] as const;

test.each(NOTING)(
  'I6: a process that dies within %s leaves no less protection than the chain says',
  async (...[, handler, body]) => {
    for (const survives of [0, 1]) {
      const vault = new Vault({});
      vault.jobs = [
        jobOf('nightly', { retention: { keepLast: 2, marginHours: 0, brake: { percent: 50, blobs: 1, days: 30 } } }),
      ];
      vault.put('a', 'content');
      await vault.backup();
      vault.put('a', 'encrypted');
      const { id } = await vault.backup();
      await ask(vault, holdHandler, id, { reason: 'audit' });
      let writes = 0;
      vault.before = ({ operation, name = '' }) => {
        if (operation === 'PutBlob' && /chain|restore-points/.test(name) && writes++ >= survives)
          throw new Error('dead');
      };
      await expect(ask(vault, handler, id, body)).rejects.toThrow();
      vault.before = () => {};
      expect((await checkMemory(vault.vault, { job: 'nightly' })).findings).toEqual([]);
      expect(writes).toBe(survives + 1);
    }
  },
);

test('I6: an unmark that was interrupted is worth a remark, and one that was finished is not', async () => {
  const vault = new Vault({});
  const brake = { percent: 50, blobs: 100, days: 30 };
  vault.jobs = [jobOf('nightly', { retention: { keepLast: 1, marginHours: 24, brake } })];
  vault.put('a', 'content');
  const { id } = await vault.backup();
  await vault.backup();
  await vault.prune();
  const check = async () => {
    const { findings, remarks } = await checkMemory(vault.vault, { job: 'nightly' });
    expect(findings).toEqual([]);
    return remarks.length;
  };
  vault.before = ({ operation, name = '' }) => {
    if (operation === 'PutBlob' && /restore-points/.test(name)) throw new Error('dead');
  };
  await expect(ask(vault, unmarkHandler, id, {})).rejects.toThrow();
  expect(await check()).toBe(1);
  vault.before = () => {};
  await ask(vault, unmarkHandler, id, {});
  expect(await check()).toBe(0);
});

/**
 * What was done; and what finds it: the check without a head, the check with the head that was kept before, and a deep
 * verification of the last restore point by the app. The first two are a pattern of kind and place.
 */
type Tampering = [how: string, tamper: (of: TamperedVault) => unknown, alone: string, head: string, app: string];

const summary = (which: 'middle' | 'last' | 'verification' | 'prune') => (of: TamperedVault) =>
  of.summaryOf(of.story[which]);

const comparison = (of: TamperedVault) => of.comparisonsOf(of.story.last)[0]!;

const RECORD: Tampering[] = [
  ['rewritten', (of) => of.json(of.record(2), tick), 'altered .*3.json', 'altered .*3.json', 'nothing'],
  ['the last one rewritten', (of) => of.json(of.record(5), tick), 'nothing', 'altered .*5.json', 'nothing'],
  ['dropped', (of) => of.drop(of.record(2)), 'missing .*2.json', 'missing .*2.json', 'nothing'],
  ['the first one dropped', (of) => of.drop(of.record(1)), 'missing .*1.json', 'missing .*1.json', 'nothing'],
  ['the last one dropped', (of) => of.drop(of.record(5)), 'altered .*restore-points/', 'cut-short', 'nothing'],
  ['the last one dropped, with all that it names', dropVerification, 'nothing', 'cut-short', 'nothing'],
  ['all dropped', (of) => of.paths(/chain/).map((path) => of.drop(path)), 'missing .*chain/', 'cut-short', 'nothing'],
  ['two exchanged', (of) => of.exchange(of.record(2), of.record(3)), 'forged .*2.json', 'forged .*2.json', 'nothing'],
  ['cut short', (of) => of.cutShort(of.record(2)), 'altered .*3.json', 'altered .*3.json', 'nothing'],
  ['its metadata', (of) => of.metadata(of.record(1), 'strongroom_chain', rename), 'altered', 'altered', 'nothing'],
  ['forged, and made consistent', consistent((of) => of.json(of.record(2), tick)), 'nothing', 'altered', 'nothing'],
  ['one added by hand', addHold, 'restore-points/', 'restore-points/', 'nothing'],
];

const SUMMARY: Tampering[] = [
  ['rewritten', (of) => of.json(summary('last')(of), tick), 'altered .*run.json', 'altered .*run.json', 'found'],
  ['dropped', (of) => of.drop(summary('last')(of)), 'missing .*run.json', 'missing .*run.json', 'found'],
  ['two exchanged', exchangeSummaries, 'altered .*run.json', 'altered .*run.json', 'found'],
  ['cut short', (of) => of.rewrite(summary('last')(of), half), 'altered .*run.json', 'altered .*run.json', 'found'],
  ['its metadata', hidePoint, 'altered .*run.json', 'altered .*run.json', 'nothing'],
  [
    'forged, and made consistent',
    consistent((of) => of.json(summary('last')(of), tick)),
    'nothing',
    'altered',
    'nothing',
  ],
  ['one added by hand', addPoint, 'forged .*run.json', 'forged .*run.json', 'nothing'],
  ['of a verification, rewritten', (of) => of.json(summary('verification')(of), tick), 'altered', 'altered', 'nothing'],
  ['of a verification, dropped', (of) => of.drop(summary('verification')(of)), 'missing', 'missing', 'nothing'],
  ['of a prune, rewritten', (of) => of.json(summary('prune')(of), tick), 'altered', 'altered', 'nothing'],
  ['of a prune, dropped', (of) => of.drop(summary('prune')(of)), 'missing', 'missing', 'nothing'],
];

const PART: Tampering[] = [
  ['rewritten', (of) => of.lines(of.story.last, other), 'altered .*manifest', 'altered .*manifest', 'found'],
  ['dropped', (of) => of.drop(of.partsOf(of.story.last)[0]!), 'missing .*manifest', 'missing .*manifest', 'found'],
  ['two exchanged', exchangeParts, 'altered .*manifest', 'altered .*manifest', 'found'],
  [
    'cut short',
    (of) => of.cutShort(of.partsOf(of.story.last)[0]!),
    'altered .*manifest',
    'altered .*manifest',
    'found',
  ],
  ['its metadata', alterTally, 'altered .*manifest', 'altered .*manifest', 'found'],
  ['forged, and made consistent', consistent((of) => of.lines(of.story.last, retier)), 'nothing', 'altered', 'nothing'],
  ['of a verification, rewritten', (of) => of.lines(of.story.verification, other), 'altered', 'altered', 'nothing'],
  [
    'of a verification, dropped',
    (of) => of.drop(of.partsOf(of.story.verification)[0]!),
    'missing',
    'missing',
    'nothing',
  ],
];

const COMPARISON: Tampering[] = [
  ['rewritten', (of) => of.rewrite(comparison(of), half), 'altered .*compared', 'altered .*compared', 'nothing'],
  ['dropped', (of) => of.drop(comparison(of)), 'missing .*compared', 'missing .*compared', 'nothing'],
  ['cut short', (of) => of.cutShort(comparison(of)), 'altered .*compared', 'altered .*compared', 'nothing'],
];

const NOTES: Tampering[] = [
  ['a hold forged', (of) => of.notes(of.story.last, hold), 'remark .*points/', 'remark .*points/', 'nothing'],
  ['a removal forged', (of) => of.notes(of.story.last, remove), 'altered .*points/', 'altered .*points/', 'found'],
  ['a brake forged', (of) => of.notes(of.story.last, brake), 'remark .*points/', 'remark .*points/', 'nothing'],
  [
    'a result rewritten',
    (of) => of.notes(of.story.last, failedOne),
    'altered .*points/',
    'altered .*points/',
    'nothing',
  ],
  ['dropped', (of) => of.drop(of.notesOf(of.story.last)), 'missing .*points/', 'missing .*points/', 'nothing'],
  ['cut short', (of) => of.rewrite(of.notesOf(of.story.last), half), 'altered .*points/', 'altered .*points/', 'found'],
  ['their metadata', holdListed, 'altered .*points/', 'altered .*points/', 'nothing'],
];

const BLOB: Tampering[] = [
  ['rewritten', (of) => of.rewrite('c', shout, BACKUP), 'altered .*/c', 'altered .*/c', 'found'],
  ['dropped', (of) => of.drop('c', BACKUP), 'missing .*/c', 'missing .*/c', 'found'],
  ['two exchanged', (of) => of.exchange('c', 'd', BACKUP), 'altered .*/c', 'altered .*/c', 'found'],
  ['cut short', (of) => of.cutShort('c', BACKUP), 'missing .*/c', 'missing .*/c', 'found'],
  ['rewritten, and made consistent', consistent(rewriteProved), 'nothing', 'altered .*chain', 'nothing'],
  ['an earlier version dropped', (of) => of.dropSnapshot('b'), 'missing .*/b', 'missing .*/b', 'nothing'],
  // No verification has read it: nothing says what it was.
  ['an earlier version rewritten', (of) => of.shoutSnapshot('b'), 'nothing', 'nothing', 'nothing'],
];

describe.each([
  ['a record', RECORD],
  ['a summary', SUMMARY],
  ['a part', PART],
  ['a comparison', COMPARISON],
  ['notes', NOTES],
  ['a backup blob', BLOB],
])('who finds %s', (_, tamperings) => {
  it.each(tamperings)('%s', async (_how, tamper, alone, head, app) => {
    const of = await new TamperedVault().begin();
    const kept = of.vault.heads.at(-1)!;
    expect(await found(of, kept)).toBe('nothing');
    await tamper(of);
    expect(await found(of)).toMatch(new RegExp(alone));
    expect(await found(of, kept)).toMatch(new RegExp(head));
    expect(await foundByApp(of)).toBe(app);
  });
});

/** The kind and the place of each finding. */
async function found(of: TamperedVault, head?: { number: number; sha256: string }): Promise<string> {
  const checked = await checkMemory(of.vault.vault, { job: 'nightly', content: true, ...(head && { head }) });
  const remarks = checked.remarks.map(({ where }) => `remark ${where}`);
  return [...checked.findings.map(({ what, where }) => `${what} ${where}`), ...remarks].join(', ') || 'nothing';
}

async function foundByApp({ vault, story }: TamperedVault): Promise<string> {
  try {
    const { status, counts } = await vault.verify(story.last);
    return status === 'failed' || counts.failed > 0 ? 'found' : 'nothing';
  } catch {
    return 'found';
  }
}

function consistent(tamper: (of: TamperedVault) => unknown) {
  return (of: TamperedVault) => {
    tamper(of);
    of.makeConsistent();
  };
}

function half(body: Buffer): Buffer {
  return body.subarray(0, body.length / 2);
}

function shout(body: Buffer): Buffer {
  return Buffer.from(String(body).toUpperCase());
}

/** Another time, in a record or a summary: a change that no other document contradicts. */
function tick(document: Json): void {
  document['finishedAt' in document ? 'finishedAt' : 'at'] = '2020-01-01T00:00:00.000Z';
}

function rename(line: Json): void {
  line.run = 'another';
}

function other(line: Json): void {
  if (line.etag) line.etag = '0x0';
}

function retier(line: Json): void {
  if (line.etag) line.tier = 'Hot';
}

function hold(notes: Json): void {
  notes.hold = { at: '', reason: 'forged' };
}

function remove(notes: Json): void {
  notes.removed = { at: '', run: 'nightly-20260501T000000Z-forged' };
}

function brake(notes: Json): void {
  notes.brake = { reason: 'forged', containers: [] };
}

function failedOne(notes: Json): void {
  notes.proofs[0].failed++;
}

function holdListed(of: TamperedVault): void {
  of.metadata(of.notesOf(of.story.last), 'strongroom_notes', hold);
}

function hidePoint(of: TamperedVault): void {
  of.metadata(of.summaryOf(of.story.last), 'strongroom_run', (line) => {
    line.restorePoint = false;
  });
}

function exchangeSummaries(of: TamperedVault): void {
  of.exchange(of.summaryOf(of.story.last), of.summaryOf(of.story.middle));
}

function exchangeParts(of: TamperedVault): void {
  const [one, another] = of.partsOf(of.story.last);
  of.exchange(one!, another!);
}

function alterTally(of: TamperedVault): void {
  of.metadata(of.partsOf(of.story.last)[0]!, 'strongroom_tally', (tally) => {
    tally.sha256 = '0';
  });
}

function dropVerification(of: TamperedVault): void {
  of.drop(of.record(5));
  for (const path of of.paths(new RegExp(of.story.verification))) of.drop(path);
  of.drop(of.notesOf(of.story.last));
}

function addHold(of: TamperedVault): void {
  const { body } = of.vault.vault.blob('strongroom', of.record(5))!;
  of.vault.vault.write('strongroom', { name: of.record(6), body });
  of.json(of.record(6), (record) => {
    Object.assign(record, { number: 6, kind: 'hold', point: of.story.last, hold: { at: '', reason: 'forged' } });
  });
  of.makeConsistent();
}

/** A copy of the last restore point under another name. */
function addPoint(of: TamperedVault): void {
  const { body } = of.vault.vault.blob('strongroom', of.summaryOf(of.story.last))!;
  const id = 'nightly-20270101T000000Z-forged';
  of.vault.vault.write('strongroom', { name: of.summaryOf(id), body });
  of.json(of.summaryOf(id), (point) => {
    point.id = id;
  });
}

/** Other bytes of a blob, and the SHA-256 of them wherever a verification has recorded that of the old ones. */
function rewriteProved(of: TamperedVault): void {
  of.rewrite('c', shout, BACKUP);
  const now = createHash('sha256').update(of.vault.vault.blob(BACKUP, 'c')!.body).digest('hex');
  of.lines(of.story.verification, (line) => {
    if (line.name === 'c') line.sha256 = now;
  });
}
