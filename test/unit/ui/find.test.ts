import { describe, expect, it } from 'vitest';
import {
  NOT_SEARCHED,
  nothingFound,
  olderPoint,
  progressOf,
  type Search,
  withoutPoint,
  withPage,
} from '../../../ui/model/find.ts';

const day = (time: string) => time.slice(0, 10);
const POINTS = ['29', '28', '27'].map((date) => ({ id: `nightly-${date}`, time: `2026-11-${date}T23:30:00.000Z` }));
const item = (name: string, container = 'images') => ({
  container,
  name,
  size: 1,
  modified: '2026-11-20T10:00:00.000Z',
});
const page = (at: number, names: string[], next: string | null = null, scanned = 41) => ({
  restorePoint: POINTS[at]!,
  items: names.map((name) => ({ ...item(name), restorePoint: POINTS[at]! })),
  parts: { scanned, total: 41 },
  next,
});
const question = { text: 'invoice', job: 'nightly', container: '' };

describe('a search', () => {
  it('adds up its pages, and says how far it is', () => {
    const first = withPage(NOT_SEARCHED, page(0, ['a', 'b'], 'more', 25));
    expect(first.current).toMatchObject({ cursor: 'more', scanned: 25 });
    expect(progressOf(first, day)).toBe('2 found · searched 25 of 41 parts of the restore point of 2026-11-29');
    const all = withPage(first, page(0, ['c']));
    expect(all.found.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(progressOf(all, day)).toBe('3 found · searched the restore point of 2026-11-29');
  });

  it('goes to older restore points, and lists a name once, at the newest that holds it', () => {
    let search = withPage(NOT_SEARCHED, page(0, ['a']));
    expect(olderPoint(POINTS, search)).toBe(POINTS[1]);
    search = withPage(search, page(1, ['a', 'gone'], 'more', 3));
    expect(olderPoint(POINTS, search)).toBe(POINTS[2]);
    expect(progressOf(search, day)).toBe(
      '2 found · searched the restore point of 2026-11-29 and 3 of 41 parts of the restore point of 2026-11-28',
    );
    search = withPage(search, page(1, []));
    expect(search.found.map(({ name, point }) => [name, point.id])).toEqual([
      ['a', 'nightly-29'],
      ['gone', 'nightly-28'],
    ]);
    search = withPage(search, page(2, []));
    expect(olderPoint(POINTS, search)).toBeUndefined();
    expect(progressOf(search, day)).toBe('2 found · searched 3 restore points, 2026-11-27 to 2026-11-29');
  });

  it('keeps a name apart in two containers, and begins with the newest restore point', () => {
    const both = {
      ...page(0, []),
      items: [item('a'), item('a', 'docs')].map((each) => ({ ...each, restorePoint: POINTS[0]! })),
    };
    expect(withPage(NOT_SEARCHED, both).found).toHaveLength(2);
    expect(olderPoint(POINTS, NOT_SEARCHED)).toBe(POINTS[0]);
    expect(olderPoint([], NOT_SEARCHED)).toBeUndefined();
  });

  it('passes by a restore point that has nothing to search', () => {
    const search = withoutPoint(withPage(NOT_SEARCHED, page(0, ['a'])), POINTS[1]!);
    expect(olderPoint(POINTS, search)).toBe(POINTS[2]);
    expect(search.found).toHaveLength(1);
  });

  it('finds the next older one though the one it searched is gone from the list', () => {
    const search: Search = { ...NOT_SEARCHED, done: [POINTS[1]!] };
    expect(olderPoint([POINTS[0]!, POINTS[2]!], search)).toBe(POINTS[2]);
  });
});

describe('a search that finds nothing', () => {
  const search = withPage(NOT_SEARCHED, page(0, []));

  it('offers older restore points, all containers and other jobs, where there are any', () => {
    expect(nothingFound({ ...question, container: 'images' }, search, { isOlder: true, jobs: 2, day })).toEqual({
      words:
        'No name of the container images contains “invoice” in the restore point of 2026-11-29. It may have been ' +
        'deleted before that: older restore points may hold it.',
      offers: ['older', 'all-containers', 'other-job'],
    });
  });

  it('says nothing of earlier restore points as long as it does not know them', () => {
    const { words, offers } = nothingFound(question, search, { isOlder: undefined, jobs: 1, day });
    expect(offers).toEqual([]);
    expect(words).toMatch(/2026-11-29\.$/);
  });

  it('says when nothing is left to search', () => {
    const { words, offers } = nothingFound(question, search, { isOlder: false, jobs: 1, day });
    expect(offers).toEqual([]);
    expect(words).toContain('No older restore point is left.');
  });
});
