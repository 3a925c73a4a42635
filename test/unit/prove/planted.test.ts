import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plant } from '../../../prove/planted/bug.ts';
import { BUGS } from '../../../prove/planted/bugs.ts';
import { ROOT, Workshop } from '../../../prove/planted/workshop.ts';

describe('planted bugs', () => {
  it.each(BUGS)('a bug can still be planted: a program that $words', (bug) => {
    const sound = readFileSync(join(ROOT, bug.file), 'utf8');
    expect(plant(sound, bug)).not.toBe(sound);
  });

  it('the bugs are at least twenty, each of its own kind', () => {
    expect(new Set(BUGS.map(({ words }) => words)).size).toBe(BUGS.length);
    expect(new Set(BUGS.map(({ file, find, replace }) => file + find + replace)).size).toBe(BUGS.length);
    expect(BUGS.length).toBeGreaterThanOrEqual(20);
  });

  it('a bug is refused if the text to replace is gone or occurs twice', () => {
    const [bug] = BUGS;
    expect(() => plant('', bug!)).toThrow('0 times');
    expect(() => plant(bug!.find + bug!.find, bug!)).toThrow('2 times');
  });

  it('a detector catches its bug, and passes on sound code', { timeout: 120_000 }, async () => {
    const workshop = new Workshop();
    try {
      for (const words of ['ignores the epoch of the lock', 'adopts any pending copy']) {
        const bug = BUGS.find((each) => each.words === words)!;
        expect(await workshop.try(bug)).toEqual({ noticed: true, said: expect.stringContaining('test/unit/domain') });
        // The bug is out again.
        expect(await workshop.ask(bug.detector)).toEqual({ noticed: false, said: '' });
      }
    } finally {
      workshop.end();
    }
  });

  it('a bug does not count as caught if the detector could not run', { timeout: 60_000 }, async () => {
    const workshop = new Workshop();
    try {
      const nonsense = { ...BUGS.find(({ file }) => file === 'src/domain/run/lock.ts')!, replace: '{{{' };
      expect(await workshop.try(nonsense)).toMatchObject({ noticed: false });
      expect(await workshop.ask({ test: 'test/unit/no-such.test.ts' })).toMatchObject({ noticed: false });
    } finally {
      workshop.end();
    }
  });
});
