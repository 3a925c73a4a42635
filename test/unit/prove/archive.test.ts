import { describe, expect, it } from 'vitest';
import { finishUpload } from '#orchestrations/finish-upload.ts';
import type { Sabotage } from '../../../prove/archive/execution.ts';
import { explore } from '../../../prove/archive/explore.ts';
import { type Fault, QUICK } from '../../../prove/archive/scenario.ts';
import { simulateArchiving } from '../../../prove/archive/simulate.ts';
import { CONTROL, SOURCE } from '../../../prove/archive/stage.ts';
import type { MemoryAccount } from '../../../prove/memory/memory-account.ts';
import { OrchestrationHarness } from '../../support/app/orchestration-harness.ts';
import { expectNoViolation, expectSameTrace, firstViolations } from './seeds.ts';

const COMMAND = 'prove/archive/main.ts';

describe('the schedules of archiving', () => {
  it.each(QUICK)('every schedule keeps every promise: $name', { timeout: 60_000 }, async (scenario) => {
    const { found, schedules, states } = await explore(scenario, 250);
    expect(found?.trace ?? []).toEqual([]);
    expect(schedules).toBeGreaterThan(100);
    expect(states).toBeGreaterThan(schedules);
  });

  it('a short scenario is explored to its end', { timeout: 60_000 }, async () => {
    const [event] = [{ etag: true }];
    const short = { name: 'short', folders: 'none', method: 'sync', edits: [{ write: [event!] }], leaps: 0 } as const;
    const calm = await explore({ ...short, edits: [{ write: [event!] }], faults: 0 }, 1_000);
    expect(calm).toMatchObject({ schedules: 1, whole: true });
    const scenario = { ...short, edits: [{ write: [event!] }], faults: 1 };
    // A source that stays hidden makes thousands of schedules of the orchestration that waits for it: a part of them.
    const hidden = await explore({ ...scenario, kinds: ['unverified'] }, 100);
    expect(hidden.found).toBeUndefined();
    const kinds: Fault[] = ['refused', 'repeated', 'unheard', 'late', 'crash', 'lost'];
    const faulty = await explore({ ...scenario, kinds }, 1_000);
    expect(faulty.whole).toBe(true);
    expect(faulty.schedules).toBeGreaterThan(25);
    expect(faulty.found).toBeUndefined();
  });
});

describe('random weeks of uploads', () => {
  it('every upload is archived once, whatever goes wrong', { timeout: 60_000 }, async () => {
    await expectNoViolation(simulateArchiving, COMMAND, 60, [
      'crash',
      'upload: held',
      'receipt: missed',
      'snapshot',
      'clock jumped',
    ]);
  });

  it('a seed gives the same trace, also in another process', { timeout: 30_000 }, async () => {
    await expectSameTrace(simulateArchiving, COMMAND, 7);
  });

  it('the witness sees the loss if no snapshot is taken before an overwrite', { timeout: 60_000 }, async () => {
    const withoutSnapshots = (seed: number) =>
      simulateArchiving(seed, {
        storage: ({ vault }) => {
          vault.snapshot = () => 'none';
        },
      });
    const [violation] = await firstViolations(withoutSnapshots, 40);
    expect(violation?.message).toContain('done and not in the archive');
  });
});

describe('P5: an upload that an orchestration finishes', () => {
  /** Keeping it fails so many times; archiving it does until then. */
  function harnessOf(outage: number) {
    let tried = 0;
    return new OrchestrationHarness(
      { finishUpload },
      {
        archiveUpload: () =>
          tried < outage
            ? { is: 'failed', code: 'unreachable', message: 'away' }
            : { is: 'archived', etag: '1', seconds: 1 },
        keepPoison: () => {
          if (tried++ < outage) throw new Error('away');
          return {};
        },
      },
    );
  }
  const input = { upload: { rule: 'uploads', name: 'a', etag: '1', owner: 'one' }, delay: 1 };

  it('an upload that fails is reported, however long the vault is unreachable', () => {
    const harness = harnessOf(11);
    expect(harness.run('finishUpload', input)).toEqual({ is: 'failed' });
    expect(harness.calls('keepPoison')).toHaveLength(12);
  });

  it('an upload is archived if the vault returns before it fails permanently', () => {
    const harness = harnessOf(4);
    expect(harness.run('finishUpload', input)).toEqual({ is: 'archived' });
  });
});

/** The promises that are seen to be broken, scenario by scenario, until one is. */
async function noticed(sabotage: Sabotage): Promise<string | undefined> {
  for (const scenario of QUICK) {
    const { found } = await explore(scenario, 250, sabotage);
    if (found) return `${found.violation.promise} ${found.violation.message}`;
  }
  return undefined;
}

type Put = Parameters<MemoryAccount['putObject']>;

/** Lets receipts, or what else lies below the control container, be written otherwise. */
function writing(vault: MemoryAccount, kind: string, change: (document: Record<string, unknown>) => object): void {
  const put = vault.putObject.bind(vault);
  vault.putObject = (...[container, name, body, options]: Put) => {
    const isMeant = container === CONTROL && name.includes(`/${kind}/`);
    const given = isMeant ? Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(body).toString())))) : body;
    return put(container, name, given, options);
  };
}

describe('broken on purpose, the proof notices', { timeout: 120_000 }, () => {
  const ways: [string, Sabotage['storage'], RegExp][] = [
    [
      'a copy is not pinned to the version of the source',
      ({ source, vault }) => {
        const copy = vault.copySync.bind(vault);
        vault.copySync = (request) =>
          copy({ ...request, sourceIfMatch: source.blob(SOURCE, 'a')?.etag ?? request.sourceIfMatch });
      },
      /P1 .* took the place of the newer|other bytes/,
    ],
    [
      'a copy is not pinned to the state that was seen of the destination',
      ({ vault }) => {
        const copy = vault.copySync.bind(vault);
        vault.copySync = (request) => {
          const there = vault.blob(request.container, request.name);
          return copy({ ...request, destination: there ? { ifMatch: there.etag } : 'absent' });
        };
      },
      /P[124]/,
    ],
    [
      'receipts are overwritten, whatever is there',
      ({ vault }) => {
        const put = vault.putObject.bind(vault);
        vault.putObject = (container, name, body, { expect: _, ...options }: Put[3]) =>
          put(container, name, body, options);
      },
      /P[24]/,
    ],
    [
      'a receipt is done before the copy',
      ({ vault }) => writing(vault, 'receipts', (receipt) => ({ ...receipt, state: 'done' })),
      /P2 .* done and not in the archive/,
    ],
    [
      'a claim never ends',
      ({ vault }) => writing(vault, 'receipts', (receipt) => ({ ...receipt, expiresAt: '2099-01-01T00:00:00.000Z' })),
      /P[13]/,
    ],
    [
      'a failed upload is reported as missed',
      ({ vault }) =>
        writing(vault, 'receipts', (receipt) => ({
          ...receipt,
          state: receipt.state === 'failed' ? 'missed' : receipt.state,
        })),
      /P2 .* reported as missed/,
    ],
    [
      'no snapshot is taken before an overwrite',
      ({ vault }) => {
        vault.snapshot = () => 'none';
      },
      /P2 .* done and not in the archive/,
    ],
    [
      'overwritten versions are not searched for',
      ({ vault }) => {
        const list = vault.listBlobs.bind(vault);
        vault.listBlobs = (container, { snapshotsAndVersions: _, ...options }) => list(container, options);
      },
      /P2 .* reported as missed and is in the archive/,
    ],
    [
      'an accepted copy counts as done',
      ({ vault }) => {
        const start = vault.startCopy.bind(vault);
        vault.startCopy = (request) => ({ ...start(request), status: 'success' });
      },
      /P2 .* done and not in the archive/,
    ],
    [
      'versions of one time count as one',
      ({ source, vault }) => {
        const getProperties = vault.getProperties.bind(vault);
        vault.getProperties = (container, name, snapshotOrVersion) => {
          const found = getProperties(container, name, snapshotOrVersion);
          const etag = source.blob(SOURCE, 'a')?.etag;
          return found?.metadata?.strongroom_etag === undefined || etag === undefined
            ? found
            : { ...found, metadata: { ...found.metadata, strongroom_etag: etag } };
        };
      },
      /P[123]/,
    ],
    [
      'a reconciliation counts every receipt as done',
      ({ vault }) => {
        const list = vault.listBlobs.bind(vault);
        vault.listBlobs = (container, options) => {
          const page = list(container, options);
          for (const { metadata } of page.blobs) {
            const line = metadata?.strongroom_receipt;
            if (line) metadata.strongroom_receipt = line.replace(/"(?:claimed|failed)"/, '"done"');
          }
          return page;
        };
      },
      /P[13] .* after a reconciliation/,
    ],
    [
      'uploads that failed permanently are reported nowhere',
      ({ vault }) => writing(vault, 'poison', (entry) => ({ ...entry, state: 'settled' })),
      /P5/,
    ],
  ];

  it.each(ways)('the proof notices that %s', async (_, storage, said) => {
    expect(await noticed({ storage: storage! })).toMatch(said);
  });

  it('the proof notices that an event is dropped because another owner has the claim', async () => {
    const said = await noticed({
      archiveUpload: (archive) => async (deps, upload) => {
        const result = await archive(deps, upload);
        return result.is === 'held' ? { is: 'duplicate' } : result;
      },
    });
    expect(said).toMatch(/P[13] .* after the events/);
  });
});
