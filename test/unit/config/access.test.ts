import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '#config/configuration.ts';
import { ConfigurationError } from '#config/configuration-error.ts';

const KEY = 'a long and random text';
const SETTINGS = {
  SOURCE__blobServiceUri: 'https://a.blob.core.windows.net',
  VAULT__blobServiceUri: 'https://b.blob.core.windows.net',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  KEY_CI: KEY,
  KEY_OPS: 'another text, as long',
};
const JOB = {
  name: 'nightly',
  source: { account: 'SOURCE', containers: ['*'] },
  destination: { account: 'VAULT', container: '{container}backup' },
};
const ci = { name: 'ci', setting: 'KEY_CI', role: 'operator' };
const ops = { name: 'ops', setting: 'KEY_OPS', role: 'admin' };

function load(access: unknown, settings: Record<string, string> = {}) {
  const text = JSON.stringify({ jobs: [JOB], ...(access !== undefined && { access }) });
  return loadConfiguration({ text, file: 'strongroom.json', settings: { ...SETTINGS, ...settings } });
}

function problemsOf(access: unknown, settings: Record<string, string> = {}): string[] {
  try {
    load(access, settings);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    expect(error.message).not.toContain(KEY);
    return error.problems.map(({ place, message }) => `${place}: ${message}`);
  }
}

const keysMode = { STRONGROOM_AUTH: 'keys' };
const entraMode = { STRONGROOM_AUTH: 'entra', WEBSITE_AUTH_ENABLED: 'True' };

describe('access', () => {
  it('is that of the host without the setting', () => {
    expect(load(undefined).access).toBeUndefined();
    expect(load(undefined, { STRONGROOM_AUTH: 'key' }).access).toBeUndefined();
  });

  it('has the keys as hashes, and the roles of app roles', () => {
    const { access } = load({ keys: [ci, ops], roles: { 'Strongroom.Reader': 'reader' } }, entraMode);
    expect(access).toMatchObject({ mode: 'entra', keys: [{ name: 'ci', role: 'operator' }, { name: 'ops' }] });
    expect(access!.roles.get('Strongroom.Reader')).toBe('reader');
    expect(access!.roles.get('constructor')).toBeUndefined();
    expect(JSON.stringify(access)).not.toContain(KEY);
  });

  it.each<[string, unknown, Record<string, string>, string]>([
    ['an unknown mode', undefined, { STRONGROOM_AUTH: 'none' }, 'STRONGROOM_AUTH: the app setting must be one of'],
    ['keys that have no effect', { keys: [ci] }, {}, 'access.keys: these have no effect'],
    ['roles that have no effect', { roles: { A: 'reader' } }, {}, 'access.roles: these have no effect'],
    ['roles of the mode keys', { keys: [ci], roles: { A: 'reader' } }, keysMode, 'access.roles: these have no effect'],
    ['no key', {}, keysMode, 'access.keys: STRONGROOM_AUTH is "keys"'],
    ['no app role', { keys: [ci] }, entraMode, 'access.roles: STRONGROOM_AUTH is "entra"'],
    [
      'entra without the platform',
      { roles: { A: 'reader' } },
      { STRONGROOM_AUTH: 'entra' },
      'STRONGROOM_AUTH: "entra"',
    ],
    [
      'entra that is switched off',
      { roles: { A: 'reader' } },
      { ...entraMode, WEBSITE_AUTH_ENABLED: 'False' },
      'STRONGROOM_AUTH: "entra" needs App Service authentication',
    ],
    [
      'an unknown role',
      { keys: [{ ...ci, role: 'root' }] },
      keysMode,
      'access.keys[0].role: this must be "observer" or',
    ],
    ['an unknown option', { keys: [{ ...ci, key: KEY }] }, keysMode, 'access.keys[0]'],
    ['a setting that is not there', { keys: [{ ...ci, setting: 'NONE' }] }, keysMode, 'access.keys[0].setting'],
    ['the key itself', { keys: [{ ...ci, setting: KEY }] }, keysMode, 'access.keys[0].setting: this must be the name'],
    ['the key itself, filled in', { keys: [{ ...ci, setting: '%KEY_CI%' }] }, keysMode, 'access.keys[0].setting'],
    ['one name twice', { keys: [ci, { ...ops, name: 'ci' }] }, keysMode, 'access.keys[1].name: another key'],
    [
      'one key twice',
      { keys: [ci, { ...ops, setting: 'KEY_CI' }] },
      keysMode,
      'access.keys[1].setting: "KEY_CI" holds',
    ],
    ['a short key', { keys: [ci] }, { ...keysMode, KEY_CI: 'short' }, 'access.keys[0].setting: the key in "KEY_CI"'],
    ['a key of one character', { keys: [ci] }, { ...keysMode, KEY_CI: 'a'.repeat(40) }, 'access.keys[0].setting'],
    ['a name that cannot be seen', undefined, { STRONGROOM_NAME: 'a\u202eb' }, 'STRONGROOM_NAME: the app setting'],
  ])('is refused with %s', (_, access, settings, expected) => {
    expect(problemsOf(access, settings)).toEqual([expect.stringContaining(expected)]);
  });

  it('shows all problems at once', () => {
    const access = {
      keys: [
        { ...ci, setting: 'NONE' },
        { ...ci, setting: 'NEITHER' },
      ],
      roles: { A: 'reader' },
    };
    expect(problemsOf(access, keysMode)).toHaveLength(3);
  });
});

it('the name of the app is in the configuration', () => {
  expect(load(undefined, { STRONGROOM_NAME: 'production' }).instance).toBe('production');
});
