import pLimit from 'p-limit';
import { describe, expect, it } from 'vitest';
import { copyBlob } from '#activities/copying/copy-blob.ts';
import type { BackupContext } from '#activities/copying/copy-context.ts';
import { confirmCopies } from '#activities/modes/confirm-copies.ts';
import type { ChunkResult } from '#activities/run/chunk.ts';
import { inRun } from '#activities/run/run-context.ts';
import { writePiece } from '#activities/run/write-piece.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { chunkKey, laterKey, lockPath, partPath } from '#domain/run/control-paths.ts';
import { isPending, type Outcome, type PendingCopy } from '#domain/run/outcome.ts';
import type { BackupRef } from '#domain/run/run.ts';
import type { BlobAccount, StoredObject } from '#storage/blob-account.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { type Actor, act, begin } from '../../../prove/model/activity.ts';
import { backupState, runId, sourceState } from '../../../prove/model/decisions.ts';
import { encode } from '../../../prove/model/encode.ts';
import { ALL_FLAWS, NIGHT, NORMAL, QUICK, settingOf, worldOf } from '../../../prove/model/scenarios.ts';
import { AT, type Backup, COPY, noBackup, ORCHESTRATION, OUTCOME, PHASE, SCAN } from '../../../prove/model/world.ts';
import { catchFlaw, exploreScenario, textOf } from '../../../prove/parts/model.ts';
import { storedObject } from '../../support/builders/stored-object.ts';

describe('the model of the protocol', () => {
  it('the model keeps its promises in every world that can be reached', { timeout: 60_000 }, () => {
    let states = 0;
    for (const scenario of QUICK) {
      const seen = exploreScenario(scenario);
      if (seen.found) expect.fail(textOf(JSON.stringify(scenario), seen.found));
      expect(seen.whole).toBe(true);
      states += seen.states;
    }
    expect(states).toBeGreaterThan(20_000);
  });

  it.each(ALL_FLAWS)('the model finds the flaw of a protocol that $words', ({ flaw }) => {
    const found = catchFlaw(flaw);
    expect(found?.message).toBeTruthy();
    expect(found?.trace.length).toBeGreaterThan(4);
  });

  it.each([
    ['in minutes', NORMAL],
    ['at night', NIGHT],
  ])('the model counts no world twice, %s', (_when, scenarios) => {
    const settings = scenarios.map(({ kind, full }) => `${kind} ${full}`);
    expect(new Set(settings).size).toBe(settings.length);
  });

  it('the model distinguishes worlds by what can matter, and by nothing else', () => {
    const one = worldOf(QUICK[0]!);
    const other = worldOf(QUICK[0]!);
    other.backup.etag = 7;
    other.nextEtag = 8;
    expect(encode(other)).toBe(encode(one));
    const third = worldOf(QUICK[0]!);
    third.runs[0]!.plannedBackup.etag = third.backup.etag;
    const fourth = worldOf(QUICK[0]!);
    fourth.runs[0]!.plannedBackup.etag = fourth.backup.etag;
    fourth.backup.etag = fourth.nextEtag++;
    expect(encode(fourth)).not.toBe(encode(third));
  });
});

const KINDS = [
  { kind: 'small', size: 1, type: 'block' },
  { kind: 'large', size: 2 ** 30, type: 'block' },
  { kind: 'page', size: 512, type: 'page' },
] as const;
const RUN = 0;
const SOURCE = 2;

/** Everything that the backup may look like to a run that would copy version 2. */
const BACKUPS: Backup[] = [noBackup()];
for (const record of [0, 1, 2]) {
  for (const content of [0, 1]) {
    for (const copyStatus of Object.values(COPY)) {
      // Which run made a copy matters only where it is of this version.
      for (const run of record === SOURCE ? [RUN, 1] : [1]) {
        BACKUPS.push({ ...noBackup(), etag: 1, record, content, run, copyStatus, copyId: 1 });
      }
    }
  }
}

type Kind = (typeof KINDS)[number];

function sourceOf({ size, type }: Kind): BlobState {
  return { ...sourceState(SOURCE), size, type };
}

function backupOf({ size, type }: Kind, seen: Backup): BlobState | undefined {
  const backup = backupState(seen);
  return backup && { ...backup, type, size: seen.content === 0 ? 0 : size };
}

/** A vault that records its requests. */
function notingVault(kind: Kind, seen: Backup) {
  const asked: string[] = [];
  const now = { ...seen };
  const vault = {
    alias: 'VAULT',
    getProperties: async () => backupOf(kind, now),
    snapshot: async () => void asked.push('snapshot'),
    abortCopy: async () => {
      asked.push('abort');
      if (now.copyStatus === COPY.pending) Object.assign(now, { copyStatus: COPY.aborted, content: 0 });
    },
    copySync: async () => {
      asked.push('copy at once');
      return { etag: 'new' };
    },
    copyBlocks: async () => {
      asked.push('copy in blocks');
      return { etag: 'new' };
    },
    startCopy: async () => {
      asked.push('start a copy');
      return { etag: 'new', copyId: '2', status: 'pending' as const };
    },
  };
  return { asked, vault };
}

/** The model's execution of the same, alone in its world. */
function modeled(kind: Kind['kind'], full: boolean, seen: Backup, phase: number, tries: number, late: boolean) {
  const scenario = { kind, full: [full], vault: 'empty', limits: {} } as const;
  const world = {
    ...worldOf({ ...scenario, full: [full] }),
    source: SOURCE,
    backup: { ...seen },
    nextEtag: 9,
    nextCopy: 2,
  };
  world.lock = { version: 1, epoch: 1, holder: RUN, cancel: 0, last: -1 };
  if (seen.copyStatus === COPY.pending) world.backup.copyOf = SOURCE;
  const run = world.runs[RUN]!;
  Object.assign(run, { epoch: 1, orchestration: ORCHESTRATION.active, phase, scan: SCAN.planned, planned: SOURCE });
  run.plannedBackup = { ...seen };
  Object.assign(run, { workSource: SOURCE, workCopy: 1, workTries: tries });
  const execution = run.executions[0]!;
  const actor: Actor = { world, setting: settingOf({ ...scenario, full: [full] }), index: RUN, run, execution };
  begin(run, execution);
  const asked: string[] = [];
  const ENDS = [AT.writePart, AT.writeLater, AT.writeWork, AT.answer];
  let waited = false;
  for (let steps = 0; !ENDS.includes(execution.at) && steps < 50; steps++) {
    const request = NAMES[execution.at];
    if (execution.at === AT.copy) asked.push(kind === 'small' ? 'copy at once' : 'start a copy');
    else if (request) asked.push(request);
    const confirming = execution.at === AT.confirm;
    act(
      actor,
      confirming && late && world.backup.copyStatus === COPY.pending && world.backup.copyId === 1 ? 'other' : 'usual',
    );
    // A round in which nothing has changed: the next one begins.
    if ((confirming || phase === PHASE.confirm) && execution.at === AT.guard) {
      waited = true;
      break;
    }
  }
  const outcome = waited ? 'pending' : Object.keys(OUTCOME)[execution.outcome]!;
  return { asked, outcome };
}

const NAMES: Record<number, string> = {
  [AT.snapshot]: 'snapshot',
  [AT.commit]: 'copy in blocks',
  [AT.abort]: 'abort',
  [AT.abortOld]: 'abort',
};

describe('the model follows the code', () => {
  const cases = KINDS.flatMap((kind) => [true, false].map((full) => ({ ...kind, full })));
  const NOW = new Date('2026-11-21T23:30:00.000Z');
  const runOf = (full: boolean): BackupRef => ({
    id: runId(RUN),
    job: 'job',
    mode: full ? 'full' : 'incremental',
    trigger: 'http',
    dryRun: false,
    startedAt: NOW.toISOString(),
    epoch: 1,
  });

  it.each(cases)('the model copies a $kind blob as the code does (full: $full)', async (kind) => {
    for (const seen of BACKUPS) {
      const { asked, vault } = notingVault(kind, seen);
      const place = {
        owner: runOf(kind.full).id,
        mode: runOf(kind.full).mode,
        method: 'auto',
        container: 'images',
        access: { urlOf: (name: string) => `https://source/${name}` },
        target: vault,
        sourcePrefix: '',
        copyDeadlineMs: 3_600_000,
        destination: 'backup',
        targetPrefix: '',
        now: () => NOW,
      } as unknown as BackupContext;
      const source = sourceOf(kind);
      const backup = backupOf(kind, seen);
      const result = await copyBlob(place, { from: source, reason: 'pending', ...(backup && { to: backup }) });
      const outcome = isPending(result) ? 'pending' : result.status;
      expect({ seen, asked, outcome }).toEqual({
        seen,
        ...modeled(kind.kind, kind.full, seen, PHASE.copy, 0, false),
      });
    }
  });

  it.each(cases)('the model confirms a copy of a $kind blob as the code does (full: $full)', async (kind) => {
    for (const tries of [1, 2, 3]) {
      for (const seen of BACKUPS) {
        for (const copyId of [1, 2]) {
          for (const late of seen.copyStatus === COPY.pending ? [false, true] : [false]) {
            const found = { ...seen, copyId };
            const real = await confirmed(kind, found, tries, late);
            expect({ found, late, tries, ...real }).toEqual({
              found,
              late,
              tries,
              ...modeled(kind.kind, kind.full, found, PHASE.confirm, tries, late),
            });
          }
        }
      }
    }
  });

  /** One round of the real activity. */
  async function confirmed(kind: Kind & { full: boolean }, seen: Backup, tries: number, late: boolean) {
    const run = runOf(kind.full);
    const objects = new Map<string, StoredObject>();
    const { asked, vault: own } = notingVault(kind, seen);
    const vault = {
      ...own,
      listBlobs: async () => ({ blobs: [], prefixes: [] }),
      getObject: async (_container: string, name: string) => objects.get(name),
      appendObject: async () => {},
      putObject: async (_container: string, name: string, body: Uint8Array, { expect }: { expect?: unknown }) => {
        if (expect === 'absent' && objects.has(name)) throw new StorageError('precondition', 'It is there');
        objects.set(name, storedObject(body, { etag: '1' }));
        return { etag: '1' };
      },
    } as unknown as BlobAccount;
    const source = {
      readAccess: async () => ({ urlOf: (name: string) => `https://source/${name}` }),
    } as unknown as BlobAccount;
    const job = {
      name: 'job',
      method: 'auto',
      source: { account: 'SOURCE' },
      destination: { account: 'VAULT', prefix: '' },
    };
    const deps = {
      configuration: { jobs: [job], archives: [] },
      limits: { copyDeadlineMs: 3_600_000, silentMs: 600_000 },
      copySlots: pLimit(1),
      blobs: (alias: string) => (alias === 'VAULT' ? vault : source),
      catalog: () => undefined,
      now: () => NOW,
      random: () => 'aaaaaa',
    } as unknown as Dependencies;
    const control = new ControlStore(vault);
    const lock = { job: 'job', epoch: 1, run, since: run.startedAt, cancel: false };
    await control.writeJson(lockPath('job'), lock, 'absent');
    const copy: PendingCopy = {
      planned: { from: sourceOf(kind), reason: 'new' },
      copyId: '1',
      startedAt: new Date(NOW.getTime() - (late ? 5_400_000 : 0)).toISOString(),
      tries,
    };
    const key = chunkKey(0, 0, 0);
    const task = { run, container: 'images', destination: 'backup' };
    const piece: ChunkResult = await inRun(deps, task, (context) => writePiece(context, key, [copy], {}));
    const answer = await confirmCopies(deps, { ...task, pendingFile: piece.pendingFile! });
    if (answer.pendingFile) return { asked, outcome: 'pending' };
    const { items } = await control.readPart<Outcome, object>(partPath(run, 'chunk', 'images', laterKey(key)));
    return { asked, outcome: items[0]!.status };
  }
});
