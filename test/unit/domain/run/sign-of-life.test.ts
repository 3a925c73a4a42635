import { describe, expect, it } from 'vitest';
import { lastSignOf, signLine } from '#domain/run/sign-of-life.ts';

const LAST_MODIFIED = new Date('2026-05-02T00:00:00.000Z');
const READ_AT = new Date('2026-05-02T00:01:30.000Z');
const read = (body: string, readAt = READ_AT) =>
  lastSignOf({ body: Buffer.from(body), lastModified: LAST_MODIFIED, readAt });

describe('the last sign of life of a run', () => {
  it('has its age by the clock of the service, whatever the clock of the process says', () => {
    const line = signLine({ at: new Date('2031-01-01T00:00:00.000Z') });
    expect(read(`${line}\n`)).toEqual({ writtenAt: LAST_MODIFIED, age: 90_000 });
  });

  it('announces a wait only in the last line', () => {
    const until = new Date('2026-05-02T15:00:00.000Z');
    const waits = signLine({ at: LAST_MODIFIED, until });
    const works = signLine({ at: LAST_MODIFIED });
    expect(read(`${works}\n${waits}\n`).until).toEqual(until);
    expect(read(`${waits}\n${works}\n`).until).toBeUndefined();
  });

  it.each(['', '{', 'null', '{"until":7}x', '{"until":"soon"}'])('announces nothing with a last line of %j', (line) => {
    expect(read(`${line}\n`).until).toBeUndefined();
  });

  it('is never younger than its reading', () => {
    expect(read('{}', new Date('2026-05-01T00:00:00.000Z')).age).toBe(0);
  });
});
