import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';

const bed = useTestBed();

test('the app serves the page at its root, and the API where it was', async () => {
  await bed.fill(1, 'images');
  const app = await bed.start();
  const home = await fetch(app.host.url, { redirect: 'manual' });
  expect([home.status, home.headers.get('location')]).toEqual([302, '/ui/']);
  const page = await fetch(`${app.host.url}/ui/runs/any`);
  expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-cache']);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  for (const [path, status] of [
    ['/', 302],
    ['/ui/', 200],
    ['/ui/runs/any', 200],
    ['/ui/other.js', 404],
  ] as const) {
    const head = await fetch(app.host.url + path, { method: 'HEAD', redirect: 'manual' });
    expect([head.status, await head.text()], path).toEqual([status, '']);
  }
  for (const path of ['/api/live', '/api/jobs']) expect((await fetch(app.host.url + path)).status, path).toBe(200);
  for (const path of ['/live', '/jobs', '/other']) expect((await fetch(app.host.url + path)).status, path).toBe(404);
  expect(await app.host.printed(/^Open http:\S+\/ in a browser to see it\.$/m, 5_000)).toBe(true);
});
