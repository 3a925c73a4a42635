import { describe, expect, it } from 'vitest';
import { heldIn, NO_HISTORY, noVersions, sizeChange, withVersions } from '../../../ui/model/file.ts';

const day = (time: string) => time.slice(8, 10);
const points = (...days: number[]) =>
  days.map((date) => ({ id: `nightly-${date}`, time: `2026-11-${date}T23:30:00.000Z` }));
const version = (etag: string, size: number, ...days: number[]) => ({
  ...{ etag, size, modified: '2026-11-20T10:00:00.000Z', restorePoints: points(...days) },
  ...{ first: '', last: '' },
});

describe('the versions of a blob', () => {
  it('are merged over pages by their ETag, newest first', () => {
    const first = withVersions(NO_HISTORY, { versions: [version('b', 2, 29, 28)], absent: 1, next: 'more' });
    const all = withVersions(first, { versions: [version('b', 2, 27), version('a', 1, 26)], absent: 3, next: null });
    expect(all.versions.map(({ etag, restorePoints }) => [etag, restorePoints.map(({ id }) => id)])).toEqual([
      ['b', ['nightly-29', 'nightly-28', 'nightly-27']],
      ['a', ['nightly-26']],
    ]);
    expect(all).toMatchObject({ absent: 4, next: null });
  });

  it.each([
    [points(29), 'in 1 restore point: 29'],
    [points(29, 28, 27), 'in 3 restore points: 29, 28, 27'],
    [points(29, 28, 27, 26), 'in 4 restore points: 26 to 29'],
  ])('are in restore points by their days', (held, words) => expect(heldIn(held, day)).toBe(words));

  it('show how they differ in size', () => {
    expect(sizeChange(version('b', 4096), version('a', 96))).toBe(4000);
    expect(sizeChange(version('b', 96), version('a', 96))).toBeNull();
    expect(sizeChange(version('b', 96), undefined)).toBeNull();
  });

  it('are none for several reasons', () => {
    expect(noVersions(NO_HISTORY)).toContain('no restore point yet');
    expect(noVersions({ ...NO_HISTORY, absent: 3 })).toContain('3 restore points searched');
    expect(noVersions({ ...NO_HISTORY, absent: 500, next: 'more' })).toContain('None of the 500 restore points');
  });
});
