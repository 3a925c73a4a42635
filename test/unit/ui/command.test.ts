import { describe, expect, it, test } from 'vitest';
import { commandOf } from '../../../ui/model/command.ts';
import { whatIfOptions } from '../../../ui/model/retention.ts';
import { HOSTILE_NAMES } from '../../support/builders/hostile-names.ts';

const ID = 'nightly-20261121T233000Z-k3f9q2';

describe('a line for the command line', () => {
  it('has options in one word each, and leaves out what is not given', () => {
    const options = [
      ['reason', "it's ours, für immer"],
      ['until', undefined],
      ['force', true],
    ] as const;
    expect(commandOf('points hold', [ID], options)).toBe(
      `strongroom points hold ${ID} '--reason=it'\\''s ours, für immer' --force`,
    );
  });

  it('has names behind the options', () => {
    expect(commandOf('restore', [], [['container', 'images']], ['--help'])).toBe(
      'strongroom restore --container=images -- --help',
    );
  });

  it('is none with what a terminal does not show', () => {
    const unseen = HOSTILE_NAMES.filter((name) => /[\p{Cc}\p{Cf}]/u.test(name));
    expect(unseen.length).toBeGreaterThan(10);
    for (const name of unseen) expect(commandOf('restore', [], [], [name]), JSON.stringify(name)).toBeNull();
  });
});

test('rules of retention become options', () => {
  expect(whatIfOptions({ keepDaily: '7', keepWithin: '30d' })).toEqual([
    ['keep-daily', '7'],
    ['keep-within', '30d'],
  ]);
});
