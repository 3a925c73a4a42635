import { afterEach, expect, it } from 'vitest';
import { type CannedApp, cannedApp, commandLine } from '../../support/app/command-line.ts';

let app: CannedApp;
afterEach(() => app.stop());

it('what is gone is found in older restore points, with the one to restore it from', async () => {
  const [at, id] = ['2026-11-21T23:30:00.000Z', 'nightly-20261121T233000Z-k3f9q2'];
  const point = { id, time: at };
  const item = { container: 'images', name: 'a\nb', size: 4096, modified: at, restorePoint: point };
  const page = { restorePoint: point, items: [item], parts: { scanned: 1, total: 2 }, next: null };
  const unread = [{ id: 'nightly-1', message: 'a part is gone' }];
  app = await cannedApp((call) => {
    if (call.endsWith('restorePoint=older&limit=100')) return { body: { ...page, items: [], unread, next: 'c' } };
    return call.endsWith('cursor=c') ? { body: { ...page, unread } } : undefined;
  });
  const line = (...more: string[]) =>
    commandLine(['find', 'a', '--older', ...more], { env: { STRONGROOM_URL: app.url } });
  const { code, stdout, stderr } = await line();
  expect([code, stdout.split('\n')[1]]).toEqual([0, `images     a\\u000ab  4.0 KiB  2026-11-21T23:30:00Z  ${id}`]);
  expect(stderr).toBe('nightly-1 was not searched in full: a part is gone\n');
  // A name is one line, so that no part of it is a name of its own for restore --names-from.
  expect((await line('--quiet')).stdout).toBe('a\\u000ab\n');
  expect((await line('--point', id)).code).toBe(2);
});
