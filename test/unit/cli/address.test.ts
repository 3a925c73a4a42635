import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Contexts, checkedAddress, isLoopback, placeOf } from '../../../cli/connect/address.ts';
import { filledPath } from '../../../cli/connect/api.ts';
import { azdEnvironment, dotenvValues } from '../../../cli/connect/azd.ts';

const contexts: Contexts = {
  current: 'one',
  contexts: {
    one: { url: 'https://one.example', signIn: { way: 'entra', resource: 'api://1' } },
    two: { url: 'https://two.example', signIn: { way: 'key-env', name: 'STRONGROOM_KEY' } },
  },
};
const azd = {
  name: 'prod',
  values: { STRONGROOM_URL: 'https://azd.example', STRONGROOM_FUNCTION_APP: 'func', AZURE_RESOURCE_GROUP: 'rg' },
};
const none: Contexts = { contexts: {} };
const base = { env: {}, contexts: none, contextsFile: '/c/config.json' };
const KEY = { STRONGROOM_KEY: 'k' };

describe('where the app is', () => {
  it.each([
    ['nothing', base, 'http://127.0.0.1:7071', 'none'],
    ['a key in the environment', { ...base, env: KEY }, 'http://127.0.0.1:7071', 'key-env'],
    ['an environment of azd', { ...base, azd }, 'https://azd.example', 'function-key'],
    ['a current context, before azd', { ...base, contexts, azd }, 'https://one.example', 'entra'],
    ['--context', { ...base, contexts, context: 'two' }, 'https://two.example', 'key-env'],
    ['STRONGROOM_URL', { ...base, contexts, azd, env: { STRONGROOM_URL: 'https://e' } }, 'https://e', 'none'],
    [
      '--context, before STRONGROOM_URL',
      { ...base, contexts, context: 'two', env: { STRONGROOM_URL: 'https://e' } },
      'https://two.example',
      'key-env',
    ],
    [
      '--url, before everything',
      { ...base, contexts, azd, url: 'https://u', env: { STRONGROOM_URL: 'https://e', ...KEY } },
      'https://u',
      'key-env',
    ],
  ])('is found by %s', (_, from, url, way) => {
    const place = placeOf(from);
    expect([place.url, place.signIn.way]).toEqual([url, way]);
    expect(place.why).not.toBe('');
  });

  it('keeps the key of the environment from an address that it was not set for, and says so', () => {
    for (const from of [
      { ...base, contexts, env: KEY },
      { ...base, azd, env: KEY },
    ]) {
      const { signIn, notes } = placeOf(from);
      expect(signIn.way).not.toBe('key-env');
      expect(notes.join()).toContain('STRONGROOM_KEY is not used');
    }
  });

  it('is an error with the name of a context that is not there, inherited names included', () => {
    expect(() => placeOf({ ...base, contexts, context: 'three' })).toThrow('It has one, two.');
    expect(() => placeOf({ ...base, contexts, context: 'constructor' })).toThrow('There is no context "constructor"');
  });
});

describe('an address', () => {
  it.each(['http://127.0.0.1:7071', 'http://localhost:1', 'http://[::1]:1', 'https://x.example/p'])(
    '%s is called',
    (text) => expect(checkedAddress(text, false).href).toContain(text),
  );

  it.each([
    'http://10.0.0.1',
    'http://example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://a.localhost',
  ])('%s needs a yes, as others can read along', (text) => {
    expect(() => checkedAddress(text, false)).toThrow('has no TLS');
    expect(checkedAddress(text, true).href).toContain(text);
  });

  it.each(['nightly', 'ftp://x', 'file:///etc/passwd', '', '//x'])('%j is none', (text) => {
    expect(() => checkedAddress(text, true)).toThrow('is not the address of an app');
  });

  it.each(['https://user:secret@x.example', 'https://x.example?code=secret', 'https://x.example#secret'])(
    '%s has a secret, which the error does not repeat',
    (text) => {
      expect(() => checkedAddress(text, true)).toThrow(/^(?!.*secret).*has a user, a query/s);
    },
  );

  it('is of this machine only with a name or address of it', () => {
    expect(['127.0.0.1', '127.9.9.9', 'localhost', '[::1]'].every(isLoopback)).toBe(true);
    expect(['127.0.0.1.x', '128.0.0.1', 'localhostx', 'x.localhost', '[::2]', '0.0.0.0'].some(isLoopback)).toBe(false);
  });
});

describe('a path', () => {
  it.each(['.', '..', ''])('with the id %j is refused: it would be another call', (id) => {
    expect(() => filledPath('runs/{id}/retry', { id })).toThrow('is not a name or an id');
  });

  it('has ids as they are, whatever they have', () => {
    expect(filledPath('runs/{id}/retry', { id: 'a/../b?c#d%2e' })).toBe('runs/a%2F..%2Fb%3Fc%23d%252e/retry');
  });
});

describe('an environment of azd', () => {
  it('is the default one of this folder or of one above', () => {
    const folder = mkdtempSync(join(tmpdir(), 'strongroom-azd-'));
    try {
      mkdirSync(join(folder, '.azure/prod'), { recursive: true });
      mkdirSync(join(folder, '.azure/test'), { recursive: true });
      mkdirSync(join(folder, 'a/b'), { recursive: true });
      writeFileSync(join(folder, '.azure/config.json'), '{"version":1,"defaultEnvironment":"prod"}');
      writeFileSync(join(folder, '.azure/prod/.env'), 'STRONGROOM_URL="https://p"\n');
      writeFileSync(join(folder, '.azure/test/.env'), 'STRONGROOM_URL="https://t"\n');
      expect(azdEnvironment(join(folder, 'a/b'), {})).toEqual({
        name: 'prod',
        values: { STRONGROOM_URL: 'https://p' },
      });
      expect(azdEnvironment(folder, { AZURE_ENV_NAME: 'test' })?.values.STRONGROOM_URL).toBe('https://t');
      expect(azdEnvironment(folder, { AZURE_ENV_NAME: '../../etc' })).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has values with and without quotes', () => {
    expect(dotenvValues('# x\nA="b \\"c\\" \\$d"\nB=plain\r\nC=\'e\'\n=x\nD=\n')).toEqual({
      ...{ A: 'b "c" $d', B: 'plain', C: 'e', D: '' },
    });
  });
});
