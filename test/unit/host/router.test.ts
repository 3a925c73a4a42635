import { describe, expect, test } from 'vitest';
import { isLoopbackAddress, refusal } from '../../../host/http/access.ts';
import { createRouter } from '../../../host/http/router.ts';
import { escapeControls } from '../../../host/log.ts';

describe('a route', () => {
  const route = createRouter([
    { template: 'api/{*rest}', methods: ['GET'], target: 'rest' },
    { template: 'api/jobs/{job}/runs', methods: ['POST'], target: 'run' },
    { template: 'api/runs', methods: ['GET'], target: 'runs' },
    { template: 'api/runs/{id}', methods: ['GET'], target: 'one' },
    { template: 'api/runs/latest', methods: ['GET'], target: 'latest' },
    { template: 'api/runs/{id}/cancel', methods: ['POST'], target: 'cancel' },
  ]);

  test.each([
    ['GET', '/api/runs', 'runs', {}],
    ['GET', '/api/runs/', 'runs', {}],
    ['GET', '/api/runs/a%2Fb%2f%C3%A4', 'one', { id: 'a%2Fb%2fä' }],
    ['GET', '/api/runs/a%252Fb', 'one', { id: 'a%2Fb' }],
    ['GET', '/api/runs/%zz%ff%', 'one', { id: '%zz%ff%' }],
    ['GET', '/api/runs/17', 'one', { id: '17' }],
    ['GET', '/api/RUNS/Latest', 'latest', {}],
    ['POST', '/api/jobs/My%20Job/runs', 'run', { job: 'My Job' }],
    ['POST', '/api/runs/x/cancel', 'cancel', { id: 'x' }],
    ['GET', '/api/some/where/else', 'rest', { rest: 'some/where/else' }],
    ['GET', '/api', 'rest', { rest: '' }],
  ])('%s %s is %s', (method, path, target, params) => {
    expect(route(method, path)).toEqual({ target, params });
  });

  test('a path without the method has no match, and nor has an unknown path', () => {
    expect(route('DELETE', '/api/jobs/a/runs')).toBeUndefined();
    expect(route('HEAD', '/api/runs')).toBeUndefined();
    expect(route('GET', '/')).toBeUndefined();
    expect(route('GET', '/other/runs')).toBeUndefined();
    expect(route('POST', '/api/jobs//runs')).toBeUndefined();
    expect(route('GET', '//api/runs')).toBeUndefined();
  });

  test('an unsupported template is an error when the router is created', () => {
    const make = (template: string) => () => createRouter([{ template, methods: ['GET'], target: 0 }]);
    expect(make('a/{x}.json')).toThrow(/"\{x\}\.json" is not supported/);
    expect(make('a/{*x}/b')).toThrow(/last segment/);
    expect(make('a/{x:int}')).toThrow(/"\{x:int\}" is not supported/);
    expect(make('a/{x?}')).toThrow(/"\{x\?\}" is not supported/);
  });
});

describe('access', () => {
  const call = {
    host: 'localhost:7071',
    origin: undefined,
    site: undefined,
    key: undefined,
    isOpen: false,
    isVisit: false,
  };

  test('only loopback names, if it listens on loopback', () => {
    const local = { key: undefined, loopback: true };
    for (const host of ['localhost:1', 'localhost', '127.0.0.1:1', '127.9.9.9', '[::1]:1']) {
      expect(refusal(local, { ...call, host }), host).toBeUndefined();
    }
    for (const host of [
      undefined,
      '',
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example:1',
      '10.0.0.1',
    ]) {
      expect(refusal(local, { ...call, host })?.code, host).toBe('host-not-allowed');
    }
    expect(refusal({ key: 'k', loopback: false }, { ...call, host: 'vault.example', key: 'k' })).toBeUndefined();
  });

  test('a page of another origin can neither read nor write', () => {
    const rules = { key: undefined, loopback: true };
    for (const origin of ['https://evil.example', 'null', 'http://localhost:3000', '']) {
      expect(refusal(rules, { ...call, origin })?.code, origin).toBe('origin-not-allowed');
    }
    expect(refusal(rules, { ...call, host: 'localhost:7071', origin: 'http://localhost:7071' })).toBeUndefined();
  });

  test('a call of a page of another site is refused also if it has no origin, as that of an image', () => {
    for (const rules of [
      { key: undefined, loopback: true },
      { key: 'correct', loopback: false },
    ]) {
      for (const site of ['cross-site', 'same-site', 'none, cross-site', 'Cross-Site', '']) {
        expect(refusal(rules, { ...call, site, key: 'correct' })?.code, site).toBe('origin-not-allowed');
      }
      for (const site of [undefined, 'none', 'same-origin']) {
        expect(refusal(rules, { ...call, site, key: 'correct' }), site).toBeUndefined();
      }
    }
  });

  test('a link from another site may open what needs no key, and nothing else', () => {
    const visit = { ...call, site: 'cross-site', isVisit: true };
    for (const rules of [
      { key: undefined, loopback: true },
      { key: 'correct', loopback: true },
    ]) {
      expect(refusal(rules, { ...visit, isOpen: true })).toBeUndefined();
      expect(refusal(rules, { ...visit, isOpen: true, isVisit: false })?.code).toBe('origin-not-allowed');
      expect(refusal(rules, { ...visit, key: 'correct' })?.code).toBe('origin-not-allowed');
      expect(refusal(rules, { ...visit, isOpen: true, host: 'evil.example' })?.code).toBe('host-not-allowed');
    }
  });

  test('the key must be the key', () => {
    const rules = { key: 'correct', loopback: true };
    for (const key of [undefined, '', 'correc', 'correct ', 'Correct']) {
      expect(refusal(rules, { ...call, key })?.status, key).toBe(401);
    }
    expect(refusal(rules, { ...call, key: 'correct' })).toBeUndefined();
    expect(refusal(rules, { ...call, isOpen: true })).toBeUndefined();
  });

  test('which addresses are loopback', () => {
    expect(['127.0.0.1', 'localhost', '::1', '127.1.2.3'].map(isLoopbackAddress)).toEqual([true, true, true, true]);
    expect(['0.0.0.0', '::', '10.1.1.1', 'host.example'].map(isLoopbackAddress)).toEqual([false, false, false, false]);
  });
});

test('a log entry is always one line', () => {
  expect(escapeControls('a\r\nb\u001b[2Jc\u2028d\u202ee\u0085f ünï')).toBe(
    'a\\u000d\\u000ab\\u001b[2Jc\\u2028d\\u202ee\\u0085f ünï',
  );
  // Outside of the first plane, and half of such a character.
  expect(escapeControls('x\u061c\u200b\u{e0041}\ud800😀')).toBe('x\\u061c\\u200b\\udb40\\udc41\\ud800😀');
});
