import { afterEach, describe, expect, it } from 'vitest';
import { Api } from '../../../cli/connect/api.ts';
import { type CannedApp, cannedApp, commandLine } from '../../support/app/command-line.ts';

let app: CannedApp;
afterEach(() => app.stop());

describe('an answer as it came', () => {
  const HOSTILE = '{\r\n\t"jobs": [], "name": "\u009b2J\u202e\u001b[31m"\r\n}\n';
  const line = async (columns?: number) => {
    app = await cannedApp(() => ({ body: HOSTILE }));
    const options = { env: { STRONGROOM_URL: app.url }, ...(columns !== undefined && { columns }) };
    return (await commandLine(['api', 'GET', '/api/jobs'], options)).stdout;
  };

  it('is that in a pipe, byte for byte', async () => expect(await line()).toBe(HOSTILE));

  it('has nothing at a terminal that would change it', async () => {
    expect(await line(80)).toBe('{\n\t"jobs": [], "name": "\\u009b2J\\u202e\\u001b[31m"\n}\n');
  });
});

it('an answer that is too large is not read to its end', async () => {
  app = await cannedApp(() => ({ body: ' '.repeat(200_000) }));
  const options = { credentials: async () => ({}), where: '', signal: new AbortController().signal };
  const api = new Api({ ...options, url: new URL(app.url), mostBytes: 100_000 });
  await expect(api.send('GET', '/api/runs')).rejects.toMatchObject({
    message: expect.stringContaining('so it was not read to its end'),
    exitCode: 69,
  });
});
