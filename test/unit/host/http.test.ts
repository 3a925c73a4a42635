import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { Fixture } from './fixture.ts';

/** With headers that fetch would not let through. */
function raw(url: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
}

test('passes a request to the function of its route, and returns its answer', async () => {
  const fixture = await Fixture.start();
  const response = await fixture.fetch('/api/hello/b%C3%B6b/a/b?x=1&x=2&y=z', {
    method: 'POST',
    body: Buffer.from([0, 255, 128]),
  });
  expect(response.headers.get('x-fixture')).toBe('yes');
  expect(await response.json()).toMatchObject({
    params: { name: 'böb', rest: 'a/b' },
    query: [
      ['x', '1,2'],
      ['y', 'z'],
    ],
    bytes: [0, 255, 128],
    length: 3,
  });
  expect(await (await fixture.fetch('/API/Hello/World')).text()).toBe('the literal route');
});

test('a body above 100 MB is answered before it is read, with its length announced or not', async () => {
  const fixture = await Fixture.start();
  const limit = 100 * 1024 * 1024;
  const announced = request(`${fixture.host.url}/api/hello/x/y`, {
    method: 'POST',
    headers: { 'content-length': limit + 1 },
  });
  announced.flushHeaders();
  const unannounced = request(`${fixture.host.url}/api/hello/x/y`, { method: 'POST' });
  for (let written = 0; written <= limit; written += 1024 * 1024) unannounced.write(Buffer.alloc(1024 * 1024));
  for (const sent of [announced, unannounced]) {
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(413);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(await json(answer)).toMatchObject({ type: 'about:blank', status: 413, code: 'body-too-large' });
    sent.on('error', () => {}).destroy();
  }
});

test('does not show a caller why a function failed, but logs the error on one line', async () => {
  const fixture = await Fixture.start();
  const response = await fixture.fetch('/api/throws');
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('a secret detail');
  expect(fixture.host.output()).toMatch(/^\d\d:\d\d:\d\d error .*a secret detail$/m);
  await fixture.fetch('/api/hello/%1b%5b31m%0aforged%20line/x');
  expect(fixture.host.output()).toContain('info hello \\u001b[31m\\u000aforged line');
});

test('shows the level of a line of a function, and takes all of the console for information', async () => {
  const fixture = await Fixture.start();
  await fixture.fetch('/api/talk');
  const lines = fixture.host.output().split('\n');
  expect(lines.filter((line) => /on the console|of the function/.test(line)).map((line) => line.slice(9))).toEqual([
    'info Host.Function.Console: an error on the console',
    'warn a warning of the function',
    'error an error of the function',
  ]);
});

test('without a key, only answers requests to names of this machine, and changes only from its own origin', async () => {
  const fixture = await Fixture.start();
  const url = `${fixture.host.url}/api/hello/world`;
  const { port } = new URL(url);
  expect(await raw(url, { host: 'rebound.example' })).toBe(403);
  expect(await raw(url, { host: `127.0.0.1.nip.example:${port}` })).toBe(403);
  expect(await raw(url, { host: `localhost:${port}` })).toBe(200);
  expect(await raw(url, { host: `[::1]:${port}` })).toBe(200);
  const post = `${fixture.host.url}/api/hello/x/y`;
  expect(await raw(post, { origin: 'https://evil.example' }, 'POST')).toBe(403);
  expect(await raw(post, { origin: 'null' }, 'POST')).toBe(403);
  expect(await raw(post, { origin: 'http://localhost:3000' }, 'POST')).toBe(403);
  expect(await raw(post, { origin: fixture.host.url }, 'POST')).toBe(200);
  expect(await raw(`${fixture.host.url}/admin/functions/nightly`, { origin: 'https://evil.example' }, 'POST')).toBe(
    403,
  );
});

test('with a key, requires it for every call of a function that is not anonymous', async () => {
  const fixture = await Fixture.start({ env: { STRONGROOM_KEY: '0123456789 is long and random' } });
  for (const path of [
    '/api/hello/x/y',
    '/api/nothing',
    '/admin/functions/nightly',
    '/api/hello/x/y?code=wrong',
    '/api/hello/x/y?code=',
  ]) {
    const response = await fixture.post(path, {});
    expect(response.status, path).toBe(401);
  }
  for (const path of ['/api/hello/world', '/api/hello/world?a=b&code=0123456789%20is%20long%20and%20random']) {
    const headers: Record<string, string> = path.includes('?')
      ? {}
      : { 'x-functions-key': '0123456789 is long and random' };
    expect((await fixture.fetch(path, { headers })).status, path).toBe(200);
  }
  expect((await fixture.fetch('/api/given/x')).status).toBe(200);
  expect((await fixture.fetch('/api/given/x', { headers: { 'x-functions-key': 'wrong' } })).status).toBe(200);
  // A path that has no function for the verb is none that is open.
  expect((await fixture.post('/api/given/x', {})).status).toBe(401);
});

test('the name of the host in a request cannot change its path', async () => {
  const key = '0123456789abcdef';
  const fixture = await Fixture.start({ args: ['--address', '0.0.0.0'], env: { STRONGROOM_KEY: key } });
  const ask = (host: string) => raw(`${fixture.host.url}/api/nothing`, { host, 'x-functions-key': key });
  expect(await ask('backup.example:7071')).toBe(404);
  expect(await ask('[::1]:7071')).toBe(404);
  for (const host of ['a/api/hello/world?', 'a/api/hello/world#', 'a@b', 'a b', 'a\\b', 'ä', 'a:b']) {
    expect(await ask(host), host).toBe(400);
  }
});

test('a wrong key is logged without the key, and answered late', async () => {
  const key = '0123456789 is long and random';
  const fixture = await Fixture.start({ env: { STRONGROOM_KEY: key } });
  const began = performance.now();
  const guesses = ['a guess', 'another one'].map((guess) =>
    fixture.fetch('/api/hello/world', { headers: { 'x-functions-key': guess } }),
  );
  // Others are not held up.
  expect((await fixture.fetch('/api/hello/world', { headers: { 'x-functions-key': key } })).status).toBe(200);
  expect((await fixture.fetch('/api/hello/world')).status).toBe(401);
  expect(performance.now() - began).toBeLessThan(900);
  expect((await Promise.all(guesses)).map(({ status }) => status)).toEqual([401, 401]);
  expect(performance.now() - began).toBeGreaterThan(900);
  const lines = fixture.host.output().match(/^.* wrong key .*$/gm);
  expect(lines).toEqual([
    expect.stringMatching(/ warn 1 call with a wrong key refused, the last one from .*127\.0\.0\.1$/),
  ]);
  expect(fixture.host.output()).not.toMatch(/guess|another one/);
});

test('the call of an image in a page of another site is refused on every route', async () => {
  const fixture = await Fixture.start();
  for (const path of ['/api/hello/world', '/api/nothing', '/admin/functions/nightly', '/runtime/webhooks/blobs']) {
    expect(await raw(fixture.host.url + path, { 'sec-fetch-site': 'cross-site' }), path).toBe(403);
    expect(await raw(fixture.host.url + path, { 'sec-fetch-site': 'same-site' }, 'POST'), path).toBe(403);
  }
  expect(await raw(`${fixture.host.url}/api/hello/world`, { 'sec-fetch-site': 'none' })).toBe(200);
});

test('a parameter that is repeated thousands of times takes no longer than others', async () => {
  const fixture = await Fixture.start();
  const ask = async (query: string) => {
    const began = performance.now();
    expect((await fixture.fetch(`/api/hello/x/y?${query}`)).status).toBe(200);
    return performance.now() - began;
  };
  await ask('a=1');
  expect(await ask('a&'.repeat(7_000))).toBeLessThan(200);
});

test('invokes a timer function on request, one invocation at a time', async () => {
  const fixture = await Fixture.start();
  expect((await fixture.post('/admin/functions/nightly', {})).status).toBe(202);
  expect((await fixture.post('/admin/functions/nightly', { input: 'x' })).status).toBe(202);
  expect((await fixture.post('/admin/functions/unknown', {})).status).toBe(404);
  expect((await fixture.fetch('/admin/functions/nightly')).status).toBe(405);
  expect((await fixture.fetch('/admin/functions/nightly', { method: 'POST', body: 'no JSON' })).status).toBe(400);
  // Stopping waits for both.
  expect(await fixture.host.stop()).toBe(0);
  expect(fixture.effects('nightly').map((line) => line.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends']);
  expect(fixture.effects('nightly')[0]).toContain('pastDue=false');
});

test('answers running calls before it stops', async () => {
  const fixture = await Fixture.start();
  const answer = fixture.fetch('/api/slow').then((response) => response.text());
  while (!fixture.effects().includes('slow begins')) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await fixture.host.stop()).toBe(0);
  expect(await answer).toBe('done');
});

test('a call that takes too long does not prevent it from stopping', async () => {
  const fixture = await Fixture.start();
  const answer = fixture.fetch('/api/slow?ms=60000').catch((error: unknown) => error);
  while (!fixture.effects().includes('slow begins')) await new Promise((resolve) => setTimeout(resolve, 10));
  const begin = Date.now();
  expect(await fixture.host.stop()).toBe(0);
  expect(Date.now() - begin).toBeGreaterThan(4_500);
  expect(Date.now() - begin).toBeLessThan(8_000);
  expect(await answer).toBeInstanceOf(Error);
  expect(fixture.effects()).toContain('appTerminate');
});
