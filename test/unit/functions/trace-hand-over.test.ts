import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, describe, expect, it, test } from 'vitest';
import type { KeepPoisonInput } from '#activities/archive/keep-poison.ts';
import { makeActivities } from '#activities/index.ts';
import { endRun } from '#app/close-run.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { inTraceOfRun } from '#app/in-trace-of-run.ts';
import type { RunRef } from '#domain/run/run.ts';
import { type SpanPlace, type TracePlace, traceOfRun, traceOfUpload } from '#domain/run/trace.ts';
import { queueEventsHandler } from '#functions/archive/archive-events.ts';
import { blobPoisonHandler, queuePoisonHandler } from '#functions/archive/poison-events.ts';
import { startRun } from '#functions/run/start-run.ts';
import { currentTrace, inTrace } from '#telemetry/current-trace.ts';
import { Telemetry } from '#telemetry/telemetry.ts';
import { RULE, SOURCE } from '../../../prove/archive/stage.ts';
import { ArchiveRoom } from '../../support/builders/archive-room.ts';
import { jobOf, Vault } from '../../support/builders/prune-vault.ts';

const CALLER: TracePlace = { id: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7', state: 'vendor=1' };

describe('the trace of a run', () => {
  let vault: Vault;
  let deps: Dependencies;
  /** The places at which ends of runs were reported. */
  let ends: SpanPlace[];
  let started: unknown[];
  const client = {
    getStatus: async () => undefined,
    startNew: async (_name: string, { input }: { input: unknown }) => started.push(input),
  } as unknown as DurableClient;

  beforeEach(() => {
    vault = new Vault();
    ends = [];
    started = [];
    vault.put('a', 'text');
    const given = vault.deps();
    const runFinished = (_summary: object, _cost: object, place: SpanPlace) => ends.push(place);
    deps = { ...given, telemetry: { ...given.telemetry, runFinished } as unknown as Telemetry };
  });

  it.each(['full', 'verify'] as const)('goes from the call to the lock and the orchestration (%s)', async (mode) => {
    const { id: point } = await vault.backup();
    const about = { job: 'nightly', trigger: 'http', dryRun: false } as const;
    const verify = { point, kind: 'quick', portion: '100%', turn: 0, sample: 0 } as const;
    const wanted = mode === 'verify' ? { ...about, mode, verify } : { ...about, mode };
    const found = await inTrace(CALLER, () => startRun(deps, client, wanted));
    const { started: run } = found as { started: RunRef };
    expect(run.trace).toEqual(CALLER);
    expect((await vault.control.findLockOf(run))?.value.run).toEqual(run);
    expect(started).toEqual([expect.objectContaining({ run: expect.objectContaining({ trace: CALLER }) })]);
    // A schedule names none.
    await endRun(deps, { run, vault: 'VAULT' }, 'failed');
    expect(await startRun(deps, client, { ...wanted, trigger: 'timer' })).not.toHaveProperty('started.trace');
  });

  it('goes to each activity, and to what reports its end, whoever ends it', async () => {
    const run: RunRef = { ...(await vault.begin({ mode: 'full' })), trace: CALLER };
    const place = traceOfRun(run);
    expect(place).toMatchObject({ id: CALLER.id, parent: CALLER.span });
    const seen = await inTraceOfRun(new Telemetry(() => {}), 'any', async () => currentTrace())({ run });
    expect(seen).toMatchObject({ id: CALLER.id, parent: place.span, state: CALLER.state });
    const { publishRun } = makeActivities(deps);
    await publishRun({ run, containers: 0, problems: [], cancelled: false, requests: {} });
    expect(await vault.control.readSummary(run)).toMatchObject({ trace: CALLER.id });
    const other: RunRef = { ...(await vault.begin({ mode: 'full' })), trace: CALLER };
    await endRun(deps, { run: other, vault: 'VAULT' }, 'failed');
    expect(ends).toEqual([place, traceOfRun(other)]);
  });

  it('goes to the verification and the prune that follow, below the run before', async () => {
    vault.jobs = [{ ...jobOf('nightly', {}), verify: { afterRun: 'quick', kind: 'quick', portion: '100%' } }];
    const backup: RunRef = { ...(await vault.begin({ mode: 'full' })), trace: CALLER };
    await vault.work(backup);
    const verified = await makeActivities(vault.deps()).beginNext({ run: backup });
    const { id, span } = traceOfRun(backup);
    expect(verified).toMatchObject({ next: { mode: 'verify', trace: { id, span, state: CALLER.state } } });
    vault.jobs = [jobOf('nightly', {})];
    await vault.work((verified as { next: RunRef }).next);
    for (const text of ['other text', 'another text']) {
      vault.put('a', text);
      await vault.backup();
    }
    const plan: RunRef = {
      ...(await vault.begin({ mode: 'prune', dryRun: true, prune: { carryOut: true } })),
      trace: CALLER,
    };
    await vault.work(plan);
    const carriedOut = await makeActivities(vault.deps()).beginNext({ run: plan });
    expect(carriedOut).toMatchObject({
      next: { mode: 'prune', follows: plan.id, trace: { id: CALLER.id, span: traceOfRun(plan).span } },
    });
  });
});

describe('the trace of an event', () => {
  const { deps } = new ArchiveRoom();
  const rules = deps.configuration.archives;
  const message = {
    ...{ container: SOURCE, name: 'a', traceparent: `00-${CALLER.id}-${CALLER.span}-01`, tracestate: CALLER.state },
  };
  const context = { triggerMetadata: { id: 'message-1' } } as unknown as InvocationContext;

  it('goes from the message to the upload, and to the orchestration that waits for it', async () => {
    const seen: unknown[] = [];
    const started: unknown[] = [];
    const archiveUpload = async (upload: object) => {
      seen.push(upload);
      return { is: 'pending' } as never;
    };
    const client = {
      startNew: async (_name: string, { input }: { input: unknown }) => started.push(input),
    } as unknown as DurableClient;
    await queueEventsHandler(deps, { archiveUpload }, 'uploads', rules)(message, client, context);
    const upload = expect.objectContaining({ rule: RULE, name: 'a', trace: CALLER });
    expect(seen).toEqual([upload]);
    expect(started).toEqual([expect.objectContaining({ upload })]);
  });

  it('goes from the poison queue to what stores the upload', async () => {
    const kept: KeepPoisonInput[] = [];
    const keepPoison = async (input: KeepPoisonInput) => {
      kept.push(input);
      return {};
    };
    await queuePoisonHandler(deps, { keepPoison }, 'uploads', rules)(message);
    const ofBlob = { FunctionId: 'Host.Functions.f', BlobType: 'BlockBlob', ContainerName: SOURCE, BlobName: 'a' };
    let upload: Parameters<typeof traceOfUpload>[0] | undefined;
    const archiveUpload = async (tried: { owner: string }) => {
      upload = tried;
      return { is: 'failed', code: 'access-denied-source', message: 'no' } as never;
    };
    const handle = blobPoisonHandler(deps, { archiveUpload, keepPoison }, rules, () => 'f');
    await handle(JSON.stringify(ofBlob), {} as DurableClient);
    expect(kept.map(({ trace }) => trace)).toEqual([CALLER, traceOfUpload(upload!)]);
  });
});

test('an activity that stores poison reports in the trace that its input names', async () => {
  let seen: TracePlace | undefined;
  const deps = {
    get configuration(): never {
      seen = currentTrace();
      throw new Error('enough');
    },
  } as unknown as Dependencies;
  await expect(makeActivities(deps).keepPoison({ rule: RULE, name: 'a', trace: CALLER })).rejects.toThrow('enough');
  expect(seen).toEqual(CALLER);
});
