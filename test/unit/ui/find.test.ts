import { describe, expect, it } from 'vitest';
import { NOT_SEARCHED, nothingFound, progressOf, withoutNewest, withPage } from '../../../ui/model/find.ts';

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

  it('continues with all earlier restore points, and lists a name once, at the newest that holds it', () => {
    let search = withPage(NOT_SEARCHED, page(0, ['a']));
    search = withPage(search, page(1, ['a', 'gone'], 'more', 3));
    expect(search).toMatchObject({ done: 'newest', current: { cursor: 'more' } });
    expect(progressOf(search, day)).toBe(
      '2 found · searched the restore point of 2026-11-29 and earlier ones, back to 2026-11-28',
    );
    search = withPage(search, page(2, []));
    expect(search.found.map(({ name, point }) => [name, point.id])).toEqual([
      ['a', 'nightly-29'],
      ['gone', 'nightly-28'],
    ]);
    expect(search.done).toBe('all');
    expect(progressOf(search, day)).toBe('2 found · searched all restore points, back to 2026-11-27');
  });

  it('keeps a name apart in two containers', () => {
    const both = {
      ...page(0, []),
      items: [item('a'), item('a', 'docs')].map((each) => ({ ...each, restorePoint: POINTS[0]! })),
    };
    expect(withPage(NOT_SEARCHED, both).found).toHaveLength(2);
  });

  it('passes by the newest restore point if that does not have the container', () => {
    const search = withPage(withoutNewest(NOT_SEARCHED), page(1, ['a'], 'more'));
    expect(search).toMatchObject({ done: 'newest', newest: undefined, oldest: POINTS[1] });
    expect(progressOf(search, day)).toBe('1 found · searched earlier restore points, back to 2026-11-28');
    expect(withoutNewest(search)).toBe(search);
  });

  it('names each earlier one that cannot be read once, and says if there is none', () => {
    const unread = [{ id: 'nightly-28', message: 'A part is missing' }];
    let search = withPage(withPage(NOT_SEARCHED, page(0, [])), { ...page(1, [], 'more'), unread });
    search = withPage(search, { ...page(1, []), unread });
    expect(search.unread).toEqual(['nightly-28']);
    const only = withPage(withPage(NOT_SEARCHED, page(0, [])), page(0, []));
    expect(progressOf(only, day)).toBe('0 found · searched the restore point of 2026-11-29, which is the only one');
  });
});

describe('a search that finds nothing', () => {
  const search = withPage(NOT_SEARCHED, page(0, []));

  it('offers older restore points, all containers and other jobs, where there are any', () => {
    expect(nothingFound({ ...question, container: 'images' }, search, { jobs: 2, day })).toEqual({
      words:
        'No name of the container images contains “invoice” in the restore point of 2026-11-29. It may have been ' +
        'deleted before that: older restore points may hold it.',
      offers: ['older', 'all-containers', 'other-job'],
    });
  });

  it('says when nothing is left to search', () => {
    const asked = { ...question, text: '\u202egnp.exe' };
    const { words, offers } = nothingFound(asked, withPage(search, page(2, [])), { jobs: 1, day });
    expect(words).toContain('contains “\\u202egnp.exe” in all restore points, back to 2026-11-27.');
    expect(offers).toEqual([]);
    expect(words).toContain('No older restore point is left.');
  });
});
