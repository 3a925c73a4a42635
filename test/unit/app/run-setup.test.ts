import { describe, expect, it } from 'vitest';
import { runSetup, setupChange } from '#app/run-setup.ts';
import type { Job } from '#config/configuration.ts';
import type { RunRef } from '#domain/run/run.ts';
import { jobOf, Vault } from '../../support/builders/prune-vault.ts';
import { type RunFields, runRef } from '../../support/builders/run-ref.ts';

const ADDRESSES: Record<string, string> = {
  SOURCE: 'https://src1.blob.core.windows.net',
  VAULT: 'https://vlt1.blob.core.windows.net',
  ELSEWHERE: 'https://other.blob.core.windows.net',
};

const ALL = new Map(Object.keys(ADDRESSES).map((alias) => [alias, {}]));

function changeOf(
  fields: Partial<RunFields>,
  { addresses = {}, job = {}, without }: { addresses?: object; job?: object; without?: string },
) {
  const vault = new Vault();
  const deps = (all: Record<string, string>, job: Job) => ({
    ...vault.deps(),
    configuration: {
      ...{ jobs: [job], archives: [] },
      accounts: new Map(Object.keys(all).flatMap((alias) => (alias === without ? [] : [[alias, {}]]))),
    } as never,
    blobs: (alias: string) => ({ alias, endpoint: all[alias]! }) as never,
  });
  const run = { ...runRef({ job: 'nightly', mode: 'full', ...fields } as RunFields) } as RunRef;
  const begun = deps(ADDRESSES, jobOf('nightly', {}));
  run.setup = runSetup(
    { ...begun, configuration: { ...(begun.configuration as object), accounts: ALL } as never },
    run,
  );
  return setupChange(deps({ ...ADDRESSES, ...addresses }, jobOf('nightly', job)), run)?.part;
}

const restore = { point: 'p', account: 'ELSEWHERE', containers: [], tables: [] } as never;
const verify = { point: 'p', kind: 'quick', portion: '100%', turn: 0, sample: 0 } as const;

describe('I1: a run goes on with the accounts and the selection that it began with, or ends', () => {
  it.each<[string, Partial<RunFields>, Parameters<typeof changeOf>[1], string | undefined]>([
    ['nothing', {}, {}, undefined],
    ['its source', {}, { addresses: { SOURCE: 'https://src2.blob.core.windows.net' } }, 'source'],
    ['its vault', {}, { addresses: { VAULT: 'https://vlt2.blob.core.windows.net' } }, 'vault'],
    ['another alias', {}, { addresses: { ELSEWHERE: 'https://more.blob.core.windows.net' } }, undefined],
    [
      'the way to the same account',
      {},
      { addresses: { SOURCE: 'https://src1.privatelink.blob.core.windows.net/' } },
      undefined,
    ],
    ['its patterns', {}, { job: { source: { ...jobOf('', {}).source, containers: ['data', 'more'] } } }, 'selection'],
    ['its exclusions', {}, { job: { source: { ...jobOf('', {}).source, exclude: ['*.tmp'] } } }, 'selection'],
    [
      'its place in the vault',
      {},
      { job: { destination: { ...jobOf('', {}).destination, prefix: 'x/' } } },
      'selection',
    ],
    ['its retention', {}, { job: { retention: undefined } }, undefined],
    [
      'the target of a restore',
      { mode: 'restore', restore },
      { addresses: { ELSEWHERE: 'https://x.blob.core.windows.net' } },
      'target',
    ],
    ['the alias of the target of a restore', { mode: 'restore', restore }, { without: 'ELSEWHERE' }, 'target'],
    ['its job', {}, { job: { name: 'another' } }, 'job'],
    ['its job, in a verification', { mode: 'verify', verify }, { job: { name: 'another' } }, 'job'],
    [
      'the source, in a restore elsewhere',
      { mode: 'restore', restore },
      { addresses: { SOURCE: 'https://x.blob.core.windows.net' } },
      undefined,
    ],
    [
      'the selection, in a restore',
      { mode: 'restore', restore },
      { job: { source: { ...jobOf('', {}).source, exclude: ['*.tmp'] } } },
      undefined,
    ],
    [
      'the source, in a verification',
      { mode: 'verify', verify },
      { addresses: { SOURCE: 'https://x.blob.core.windows.net' } },
      undefined,
    ],
    [
      'the vault of a verification',
      { mode: 'verify', verify },
      { addresses: { VAULT: 'https://x.blob.core.windows.net' } },
      'vault',
    ],
  ])('%s changes', (_, fields, now, part) => {
    expect(changeOf(fields, now)).toBe(part);
  });

  it('an emulator on other ports is the same account', () => {
    const at = (port: number) => ({ SOURCE: `http://127.0.0.1:${port}/src1`, VAULT: `http://127.0.0.1:${port}/vlt1` });
    Object.assign(ADDRESSES, at(10_000));
    expect(changeOf({}, { addresses: at(34_567) })).toBeUndefined();
    expect(changeOf({}, { addresses: { SOURCE: 'http://127.0.0.1:10000/src2' } })).toBe('source');
  });
});
