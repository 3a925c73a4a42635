import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newRunId, parseRunId } from '#domain/run/run-id.ts';

const anyJob = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/);
const anyRandom = fc.stringMatching(/^[a-z0-9]{6}$/);
const anyTime = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true });

describe('run ids', () => {
  it('look like this', () => {
    const id = newRunId('nightly', new Date('2026-11-21T23:30:00.123Z'), 'k3f9q2');
    expect(id).toBe('nightly-20261121T233000Z-k3f9q2');
    expect(parseRunId(id)).toEqual({ job: 'nightly', startedAt: new Date('2026-11-21T23:30:00Z') });
  });

  it('tell the job and the second, for every job name and time', () => {
    fc.assert(
      fc.property(anyJob, anyTime, anyRandom, (job, now, random) => {
        const startedAt = new Date(Math.floor(now.getTime() / 1000) * 1000);
        expect(parseRunId(newRunId(job, now, random))).toEqual({ job, startedAt });
      }),
    );
  });

  it('of a job named like a run are still that job’s', () => {
    for (const job of ['a-20260101t000000z-aaaaaa', '20260101', 'a-20260101', 'x-20260101-000000']) {
      expect(parseRunId(newRunId(job, new Date('2026-05-01T00:00:00Z'), 'abcdef'))?.job).toBe(job);
    }
  });

  it('sort by time within their job', () => {
    fc.assert(
      fc.property(anyJob, anyTime, anyTime, anyRandom, anyRandom, (job, a, b, x, y) => {
        const [first, second] = [newRunId(job, a, x), newRunId(job, b, y)];
        const apart = Math.floor(a.getTime() / 1000) - Math.floor(b.getTime() / 1000);
        if (apart !== 0) expect(first < second).toBe(apart < 0);
      }),
    );
  });

  it.each([
    '',
    'nightly',
    'nightly-20261121T233000Z-K3F9Q2',
    'nightly-20261121T233000Z-k3f9q',
    'nightly-20261121T233000Z-k3f9q22',
    'nightly-20261121T233000Z-k3f9q2\n',
    '\nnightly-20261121T233000Z-k3f9q2',
    ' nightly-20261121T233000Z-k3f9q2',
    '../nightly-20261121T233000Z-k3f9q2',
    'a/b-20261121T233000Z-k3f9q2',
    'a%2fb-20261121T233000Z-k3f9q2',
    'a\\b-20261121T233000Z-k3f9q2',
    '-a-20261121T233000Z-k3f9q2',
    '-20261121T233000Z-k3f9q2',
    'Nightly-20261121T233000Z-k3f9q2',
    'ñ-20261121T233000Z-k3f9q2',
    `${'a'.repeat(41)}-20261121T233000Z-k3f9q2`,
    'nightly-20261321T233000Z-k3f9q2',
    'nightly-20261121T253000Z-k3f9q2',
    'nightly-20261121T236000Z-k3f9q2',
    'nightly-20261121T233000Z-k3f9q2/../x',
    'nightly-20261121T233000Z-k3f9q2?x=1',
    'nightly-２０261121T233000Z-k3f9q2',
  ])('I8: %j is none', (id) => {
    expect(parseRunId(id)).toBeUndefined();
  });

  it('I8: whatever is taken for one is a single safe path segment', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const id = `${before}nightly-20261121T233000Z-k3f9q2${after}`;
        if (parseRunId(id)) expect(id).toMatch(/^[a-z0-9-]+T\d{6}Z-[a-z0-9]{6}$/);
      }),
    );
  });
});
