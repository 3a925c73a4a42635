import { describe, expect, it } from 'vitest';
import type { UploadResult } from '#activities/archive/archive-upload.ts';
import { traceOfUpload } from '#domain/run/trace.ts';
import { finishUpload } from '#orchestrations/finish-upload.ts';
import { OrchestrationHarness } from '../../support/app/orchestration-harness.ts';

const upload = { rule: 'uploads', name: 'a.bin', etag: '0x1', owner: 'uploads-event-1' };

/** Answers one after the other; the last one again and again. An error is thrown. */
function harnessOf(answers: (UploadResult | Error)[], keepPoison: (input: object) => object = () => ({})) {
  let asked = 0;
  return new OrchestrationHarness(
    { finishUpload },
    {
      archiveUpload: () => {
        const answer = answers[Math.min(asked++, answers.length - 1)]!;
        if (answer instanceof Error) throw answer;
        return answer;
      },
      keepPoison,
    },
  );
}

const failed: UploadResult = { is: 'failed', code: 'copy-failed', message: 'broken' };
const busy: UploadResult = { is: 'failed', code: 'throttled', message: 'busy' };
const archived: UploadResult = { is: 'archived', etag: '0x1', seconds: 2 };

describe('finishing an upload', () => {
  it('finishUpload waits for a pending copy, longer each time, until it is archived', () => {
    const harness = harnessOf([{ is: 'pending' }, { is: 'pending' }, archived]);
    expect(harness.run('finishUpload', { upload, delay: 1 })).toEqual({ is: 'archived' });
    expect(harness.waits).toEqual([1, 2, 4]);
    expect(harness.calls('archiveUpload').map(({ input }) => input)).toEqual([upload, upload, upload]);
  });

  it('finishUpload waits while another owner holds the claim, and never loses the upload', () => {
    const harness = harnessOf([
      { is: 'held', etag: '0x1', seconds: 301 },
      { is: 'held', etag: '0x1', seconds: 7 },
      { is: 'duplicate' },
    ]);
    expect(harness.run('finishUpload', { upload, delay: 600 })).toEqual({ is: 'duplicate' });
    expect(harness.waits).toEqual([600, 301, 7]);
  });

  it('F22: finishUpload keeps the upload as poison after five failures, with the last reason', () => {
    const harness = harnessOf([failed, { is: 'pending' }, failed]);
    expect(harness.run('finishUpload', { upload, delay: 1 })).toEqual({ is: 'failed' });
    expect(harness.calls('archiveUpload')).toHaveLength(6);
    expect(harness.calls('keepPoison').map(({ input }) => input)).toEqual([
      {
        ...{ rule: 'uploads', name: 'a.bin', etag: '0x1', problem: { code: 'copy-failed', message: 'broken' } },
        trace: traceOfUpload(upload),
      },
    ]);
  });

  it('finishUpload counts an activity that is ended from outside as a failure', () => {
    const harness = harnessOf([new Error('timeout'), archived]);
    expect(harness.run('finishUpload', { upload, delay: 1 })).toEqual({ is: 'archived' });
    const never = harnessOf([new Error('FunctionTimeoutException: Timeout value of 00:10:00 exceeded\n   at Host')]);
    expect(never.run('finishUpload', { upload, delay: 1 })).toEqual({ is: 'failed' });
    const message = 'The platform ended archiveUpload each time before it answered (FunctionTimeoutException)';
    expect(never.calls('keepPoison')[0]!.input).toMatchObject({ problem: { code: 'interrupted', message } });
  });

  it('F22: finishUpload tries again to keep the upload if the vault is unreachable', () => {
    let times = 0;
    const harness = harnessOf([failed], () => {
      times++;
      if (times < 3) throw new Error('away');
      return {};
    });
    expect(harness.run('finishUpload', { upload, delay: 1 })).toEqual({ is: 'failed' });
    expect(harness.calls('keepPoison')).toHaveLength(3);
  });

  it('F39: a copy of several days starts new generations, and forgets no failure', () => {
    const answers = [failed, failed, ...Array<UploadResult>(120).fill({ is: 'pending' }), failed, failed, failed];
    const harness = harnessOf(answers);
    expect(harness.run('finishUpload', { upload, delay: 1 })).toEqual({ is: 'failed' });
    expect(harness.generations.length).toBeGreaterThan(2);
    expect(harness.calls('archiveUpload')).toHaveLength(125);
    expect(Math.max(...harness.waits.slice(20, 120))).toBe(60);
  });

  it('finishUpload waits for a failure to pass, longer each time, and the upload survives an outage of a day', () => {
    const harness = harnessOf([...Array<UploadResult>(100).fill(busy), archived]);
    expect(harness.run('finishUpload', { upload, delay: 1 })).toEqual({ is: 'archived' });
    expect(harness.waits.slice(0, 6)).toEqual([1, 2, 2, 4, 8, 16]);
    expect(Math.max(...harness.waits)).toBe(900);
    expect(harness.waits.reduce((sum, seconds) => sum + seconds)).toBeGreaterThan(22 * 3600);
    expect(harness.calls('keepPoison')).toEqual([]);
  });

  it('F22: finishUpload keeps the upload as poison if the failure has not passed after a day', () => {
    const harness = harnessOf([busy]);
    expect(harness.run('finishUpload', { upload, delay: 1 })).toEqual({ is: 'failed' });
    const waited = harness.waits.reduce((sum, seconds) => sum + seconds);
    expect([waited >= 86_400, waited < 90_000]).toEqual([true, true]);
    expect(harness.calls('keepPoison')).toMatchObject([{ input: { problem: { code: 'throttled' } } }]);
  });

  it('finishUpload counts the day from the first failure of the event, and again after a pending copy', () => {
    const answers: UploadResult[] = [...Array<UploadResult>(90).fill(busy), { is: 'pending' }, busy];
    expect(harnessOf(answers).run('finishUpload', { upload, delay: 1 })).toEqual({ is: 'failed' });
    const harness = harnessOf([busy]);
    const failingSince = new Date(harness.now.getTime() - 23.9 * 3_600_000).toISOString();
    expect(harness.run('finishUpload', { upload, delay: 1, failingSince })).toEqual({ is: 'failed' });
    expect(harness.waits).toEqual([1, 900]);
  });

  it('finishUpload waits for all versions of a blob until it is quiet, and says in its input when it checks', () => {
    const changing = (etag: string, seconds: number): UploadResult => ({ is: 'changing', etag, seconds });
    const harness = harnessOf([changing('0x1', 600), changing('0x2', 60), archived]);
    const until = new Date(harness.now.getTime() + 600_000).toISOString();
    const { etag: _, ...blob } = upload;
    expect(harness.run('finishUpload', { upload: blob, delay: 600, until })).toEqual({ is: 'archived' });
    expect(harness.waits).toEqual([600, 600, 60]);
    const inputs = harness.generations.map(({ input }) => (input as { until: string }).until);
    expect(inputs.map((each) => (Date.parse(each) - Date.parse(until)) / 1000)).toEqual([0, 600, 660]);
  });

  it('finishUpload waits for one version until another replaces it, which another orchestration waits for', () => {
    const input = { upload, delay: 5, version: '0x1' };
    const same = harnessOf([{ is: 'changing', etag: '0x1', seconds: 7 }, archived]);
    expect(same.run('finishUpload', input)).toEqual({ is: 'archived' });
    const other = harnessOf([{ is: 'changing', etag: '0x2', seconds: 7 }]);
    expect(other.run('finishUpload', input)).toEqual({ is: 'replaced' });
    expect(other.calls('archiveUpload')).toHaveLength(1);
  });
});
