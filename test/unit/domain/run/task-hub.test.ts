import { describe, expect, it, test } from 'vitest';
import {
  foreignHub,
  type HubOwner,
  hubNameProblem,
  isHubContainer,
  isHubTable,
  isSameOwner,
  parseOwner,
} from '#domain/run/task-hub.ts';

const owner = (app: string | null, ...vaults: string[]): HubOwner => ({ app, vaults });

test.each(['strongroom', 'strongroomstaging', 'strongroomABC123', `strongroom${'x'.repeat(35)}`])(
  'a hub may be called %s',
  (name) => {
    expect(hubNameProblem(name)).toBeUndefined();
  },
);

test.each(['', 'hub', 'strongroom-staging', ' strongroom', 'strongroom_1', `strongroom${'x'.repeat(36)}`, '%HUB%'])(
  'a hub may not be called "%s"',
  (name) => {
    expect(hubNameProblem(name)).toContain('must be "strongroom" and up to 35 more letters and digits');
  },
);

describe('an owner', () => {
  it.each([
    [owner('a', 'v1'), owner('a', 'v1'), true],
    [owner('a', 'v1'), owner('a', 'v2', 'v1'), true],
    [owner(null, 'v1'), owner(null, 'v1'), true],
    [owner('a', 'v1'), owner('a', 'v2'), false],
    [owner('a', 'v1'), owner('b', 'v1'), false],
    [owner('a', 'v1'), owner(null, 'v1'), false],
  ])('%j and %j: the same is %s', (one, other, same) => {
    expect(isSameOwner(one, other)).toBe(same);
    expect(isSameOwner(other, one)).toBe(same);
  });

  it('is read as it is written', () => {
    const written = owner('func-a', 'a.blob.core.windows.net');
    expect(parseOwner(JSON.stringify(written))).toEqual(written);
  });

  it.each(['', 'null', '{}', '[]', '{"app":1,"vaults":[]}', '{"app":"a"}', '{"app":"a","vaults":[1]}'])(
    'is not read from %s',
    (text) => {
      expect(parseOwner(text)).toBeUndefined();
    },
  );

  it('is named in the refusal', () => {
    expect(foreignHub('strongroom', owner('func-a', 'v1', 'v2'))).toBe(
      'The task hub "strongroom" belongs to the app "func-a" with the vault v1, v2',
    );
  });
});

test('what belongs to any hub is known by its name', () => {
  for (const name of ['strongroom-leases', 'strongroomx1-applease', 'strongroomx1-largemessages', 'strongroom-hubs'])
    expect(isHubContainer(name)).toBe(true);
  for (const name of ['leases', 'car-leases', 'strongroom-x-leases', 'strongroom-leases-2', 'strongroom-hubs2'])
    expect(isHubContainer(name)).toBe(false);
  for (const name of ['StrongroomHistory', 'strongroomx1Instances', 'strongroomx1Partitions'])
    expect(isHubTable(name)).toBe(true);
  for (const name of ['history', 'myStrongroomHistory', 'StrongroomHistory2']) expect(isHubTable(name)).toBe(false);
});
