import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import type { HttpRequest } from '@azure/functions';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { pageHandler } from '#functions/page.ts';

const ROOT = join(import.meta.dirname, '../../..');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'strongroom-page-'));
  const page = join(folder, 'page');
  mkdirSync(page);
  writeFileSync(join(folder, 'secret.js'), 'secret');
  for (const [name, text] of [
    ['index.html', '<!doctype html>'],
    ['index.html.gz', 'gzip of the document'],
    ['main-ABC.js', 'script'],
    ['main-ABC.js.br', 'br of the script'],
    ['main-ABC.js.gz', 'gzip of the script'],
  ] as const) {
    writeFileSync(join(page, name), text);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function ask(path: string, headers: Record<string, string> = {}, from = join(folder, 'page'), method = 'GET') {
  const request = { method, params: { path }, headers: new Headers(headers) } as unknown as HttpRequest;
  const { status, headers: sent, body } = pageHandler(from)(request);
  return { status, headers: sent as Record<string, string>, text: body === undefined ? '' : String(body) };
}

describe('the page', () => {
  it.each([
    '',
    'runs',
    'runs/nightly-20261129T223000Z-k3f9q2',
    'points/a.b',
    'find',
    'index.html',
    'favicon.ico',
    '..',
  ])('is the document at %j', (path) => {
    expect(ask(path)).toMatchObject({ status: 200, text: '<!doctype html>', headers: { 'cache-control': 'no-cache' } });
  });

  it('lets a browser keep what has its content in its name', () => {
    expect(ask('main-ABC.js')).toMatchObject({
      text: 'script',
      headers: {
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=31536000, immutable',
      },
    });
  });

  it.each(['main-OLD.js', '../secret.js', '..%2Fsecret.js', 'main-ABC.js.br', 'sub/main-ABC.js', 'main.css'])(
    'has no %s',
    (path) => {
      const { status, text, headers } = ask(path);
      // An unknown address is a screen, unless it can only be a file.
      if (/\.(js|css)$/.test(path)) expect([status, text]).toEqual([404, '']);
      else expect(text).toBe('<!doctype html>');
      expect(headers['content-security-policy']).toContain("default-src 'none'");
    },
  );

  it.each([
    ['br, gzip', 'br', 'br of the script'],
    ['gzip, deflate', 'gzip', 'gzip of the script'],
    ['br;q=0, gzip;q=0.5', 'gzip', 'gzip of the script'],
    ['BR', 'br', 'br of the script'],
    ['brotli', undefined, 'script'],
    ['', undefined, 'script'],
  ])('is compressed for a browser that accepts %j', (accepted, encoding, text) => {
    const answer = ask('main-ABC.js', { 'accept-encoding': accepted });
    expect([answer.headers['content-encoding'], answer.text]).toEqual([encoding, text]);
    expect(answer.headers.vary).toBe('accept-encoding');
  });

  it('is sent once, as long as it is the same', () => {
    const { etag = '' } = ask('').headers;
    expect(ask('', { 'if-none-match': etag })).toMatchObject({ status: 304, text: '' });
    expect(ask('', { 'if-none-match': '"another"' }).status).toBe(200);
  });

  it('may load nothing from elsewhere, run nothing inline, and make no markup of text', () => {
    const policy = ask('').headers['content-security-policy']!.split('; ');
    expect(policy).toEqual([
      ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'"],
      ...["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
      ...["require-trusted-types-for 'script'", "trusted-types 'none'"],
    ]);
  });

  it.each(['', 'runs', 'main-ABC.js', 'main-OLD.js'])('answers a HEAD of %j as a GET, without the body', (path) => {
    const accepted = { 'accept-encoding': 'br, gzip' };
    expect(ask(path, accepted, undefined, 'HEAD')).toEqual({ ...ask(path, accepted), text: '' });
  });

  it('is not there if it was not built', () => {
    expect(ask('', {}, join(folder, 'nothing')).status).toBe(404);
  });
});

test('the built page is small, and has no script or style of its own in the document', async () => {
  const { execFileSync } = await import('node:child_process');
  execFileSync(process.execPath, ['tools/build.ts'], { cwd: ROOT, stdio: 'ignore' });
  const document = ask('', {}, join(ROOT, 'dist/page')).text;
  expect(document).not.toMatch(/<script>|<style|style=|onload=|javascript:/);
  const names = [...document.matchAll(/"\/ui\/(main-\w+\.(?:js|css))"/g)].map(([, name]) => name!);
  expect(names.map((name) => name.split('.')[1]).sort()).toEqual(['css', 'js']);
  const sizes = names.map((name) => ask(name, { 'accept-encoding': 'gzip' }, join(ROOT, 'dist/page')));
  expect(sizes.map(({ headers }) => headers['content-encoding'])).toEqual(['gzip', 'gzip']);
  const bytes = names.reduce((sum, name) => sum + sizeOf(name), 0);
  expect(bytes).toBeLessThan(90_000);
  expect(brotliDecompressSync(bodyOf(names[0]!, 'br')).length).toBeGreaterThan(1000);
});

function bodyOf(name: string, encoding: string): Buffer {
  const request = {
    params: { path: name },
    headers: new Headers({ 'accept-encoding': encoding }),
  } as unknown as HttpRequest;
  return pageHandler(join(ROOT, 'dist/page'))(request).body as Buffer;
}

function sizeOf(name: string): number {
  return bodyOf(name, 'gzip').length;
}
