import { afterEach, expect, it } from 'vitest';
import { type CannedApp, cannedApp, commandLine } from '../../support/app/command-line.ts';

let app: CannedApp;
afterEach(() => app.stop());

const OK = {
  id: 'list',
  alias: 'SOURCE',
  result: 'ok',
  needed: true,
  for: ['nightly'],
  code: null,
  hint: null,
  command: null,
};
const MISSING = {
  ...{ ...OK, id: 'read-tags', result: 'missing', code: 'access-denied-source' },
  hint: 'Tags are not backed up. Then retry: POST /api/jobs/nightly/runs.',
  command: 'az role assignment create --role "Storage Blob Data Reader"',
};

async function check(body: unknown, ...more: string[]) {
  app = await cannedApp((call) => (call === 'POST /api/checks' ? { body } : undefined));
  return commandLine(['check', ...more], { env: { STRONGROOM_URL: app.url } });
}

it('a missing right has the command that grants it, and ends with 6', async () => {
  expect(await check([OK, MISSING])).toEqual({
    code: 6,
    stdout:
      'ok        SOURCE  list  for nightly\n' +
      'missing   SOURCE  read-tags  for nightly\n' +
      '          Tags are not backed up. Then retry: strongroom runs start nightly.\n' +
      '          az role assignment create --role "Storage Blob Data Reader"\n',
    stderr: '',
  });
});

it.each([
  [[OK], 0],
  [[{ ...OK, result: 'missing', needed: false }], 0],
  [[{ ...OK, result: 'unknown' }], 6],
  [[{ ...OK, result: 'unneeded', needed: false }], 6],
])('%j ends with the right code', async (checks, code) => {
  expect((await check(checks)).code).toBe(code);
  await app.stop();
  expect(await check(checks, '--json')).toMatchObject({ code, stdout: JSON.stringify(checks) });
});

it('a result of a later version is shown, too', async () => {
  expect((await check([{ ...OK, result: 'not-yet-known' }])).stdout).toBe('not-yet-known  SOURCE  list  for nightly\n');
});
