import type { DurableClient } from 'durable-functions';
import { describe, expect, it } from 'vitest';
import type { UploadResult } from '#activities/archive/archive-upload.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { archiveOrWait } from '#functions/archive/archive-or-wait.ts';
import type { FinishUploadInput } from '#orchestrations/finish-upload.ts';

const NOW = new Date('2026-11-30T10:00:00Z');
const upload = { rule: 'logs', name: 'a.log', etag: '0x1', owner: 'logs-event-1' };

/** A host whose orchestrations stay in progress. */
class Host {
  readonly started = new Map<string, FinishUploadInput>();
  readonly client = {
    startNew: async (_name: string, { instanceId, input }: { instanceId: string; input: FinishUploadInput }) => {
      if (this.started.has(instanceId)) throw new Error('HTTP 409');
      this.started.set(instanceId, input);
    },
    getStatus: async (id: string) => ({ runtimeStatus: 'Running', input: this.started.get(id) }),
  } as unknown as DurableClient;

  get inputs(): FinishUploadInput[] {
    return [...this.started.values()];
  }

  archive(result: UploadResult, { quietMinutes, after = 0, ...more }: Options = {}): Promise<string | undefined> {
    const deps = {
      configuration: { archives: [{ name: 'logs', ...(quietMinutes !== undefined && { quietMinutes }) }] },
      now: () => new Date(NOW.getTime() + after * 1000),
    } as unknown as Dependencies;
    return archiveOrWait(deps, { archiveUpload: async () => result }, this.client, { ...upload, ...more });
  }
}

interface Options {
  quietMinutes?: number;
  /** Seconds. */
  after?: number;
  etag?: string;
  owner?: string;
}

const changing = (etag: string, seconds: number): UploadResult => ({ is: 'changing', etag, seconds });
const { etag: _, ...blob } = upload;

describe('an upload that cannot be archived at once', () => {
  it('waits for a failure that may pass, and reports one that does not', async () => {
    const host = new Host();
    expect(await host.archive({ is: 'failed', code: 'destination-leased', message: 'leased' })).toBeUndefined();
    expect(host.inputs).toEqual([{ upload, delay: 1, failingSince: NOW.toISOString() }]);
    const denied = await host.archive({ is: 'failed', code: 'access-denied-source', message: 'no' });
    expect([denied, host.started.size]).toEqual(['logs: access-denied-source: no', 1]);
  });

  it('waits with one orchestration for each version whose claim another owner holds', async () => {
    const host = new Host();
    for (const owner of ['one', 'two']) await host.archive({ is: 'held', etag: '0x1', seconds: 9 }, { owner });
    await host.archive({ is: 'held', etag: '0x2', seconds: 9 });
    expect(host.inputs.map(({ delay }) => delay)).toEqual([9, 9]);
  });

  it('waits with one orchestration for all versions of a blob that grows', async () => {
    const host = new Host();
    for (const [index, etag] of ['0x1', '0x2', '0x3'].entries()) {
      expect(await host.archive(changing(etag, 600), { after: index * 100, etag })).toBeUndefined();
    }
    const until = new Date(NOW.getTime() + 600_000).toISOString();
    expect(host.inputs).toEqual([{ upload: blob, delay: 600, until }]);
    const failed: UploadResult = { is: 'failed', code: 'throttled', message: 'busy' };
    await host.archive(failed, { quietMinutes: 10, after: 300 });
    expect(host.started.size).toBe(1);
  });

  it('has an orchestration of its own if the other one may end before it sees the version', async () => {
    const host = new Host();
    await host.archive(changing('0x1', 600));
    for (const after of [599, 601]) await host.archive(changing('0x2', 600), { after, etag: '0x2' });
    expect(host.inputs.slice(1)).toEqual([{ upload: blob, delay: 600, version: '0x2' }]);
  });
});
