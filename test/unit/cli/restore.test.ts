import { afterEach, describe, expect, it } from 'vitest';
import { restoreRequestSchema } from '#api/restore-request.ts';
import { parseCommandLine } from '../../../cli/command/parse.ts';
import { COMMANDS } from '../../../cli/commands/index.ts';
import { previewOf, questionOf } from '../../../cli/restore/preview.ts';
import { restoreBody } from '../../../cli/restore/restore-body.ts';
import { PLANNED, PREVIEW } from '../../support/app/canned-answers.ts';
import { type CannedApp, cannedApp, commandLine, type LineOptions } from '../../support/app/command-line.ts';

let app: CannedApp | undefined;
afterEach(async () => {
  await app?.stop();
  app = undefined;
});

const STARTED = { id: 'nightly-1', job: 'nightly', mode: 'restore', dryRun: false, status: 'running', location: '/' };

async function line(argv: string[], options: LineOptions = {}, preview: object = PREVIEW) {
  app ??= await cannedApp((call) => {
    if (call.includes('/preview')) return { body: preview };
    if (call === 'POST /api/restores' || call === 'POST /api/prunes') return { status: 202, body: STARTED };
    return call.startsWith('GET /api/runs/') ? { body: PLANNED } : undefined;
  });
  return commandLine(argv, { ...options, env: { STRONGROOM_URL: app.url } });
}
const started = (path: string) =>
  app!.asked.filter(({ method, url }) => method === 'POST' && url === path).map(({ body }) => JSON.parse(body));

describe('the body of a restore', () => {
  const bodyOf = (...argv: string[]) => {
    const parsed = parseCommandLine(['restore', ...argv, '--utc'], COMMANDS);
    if (parsed.kind !== 'command') throw new Error('no command');
    return restoreBody(parsed.input, parsed.input.arguments);
  };

  it.each([
    [[], {}],
    [['a', 'b', '--container', 'images'], { names: ['a', 'b'], containers: ['images'] }],
    [['--at', '2026-11-20', '--job', 'j'], { at: '2026-11-20T00:00:00.000Z', job: 'j' }],
    [['--point', 'p', '--prefix', 'x/', '--existing', 'skip'], { restorePoint: 'p', prefix: 'x/', existing: 'skip' }],
    [['--include', 'a', '--include', 'b', '--exclude', 'c'], { include: ['a', 'b'], exclude: ['c'] }],
    [
      ['--table', 'orders', '--partition', 'p', '--from-key', 'a', '--to-key', 'b', '--to-table', 'orders2'],
      { tables: ['orders'], keys: { partition: 'p', from: 'a', to: 'b' }, target: { table: 'orders2' } },
    ],
    [
      ['--to', '{container}-x', '--to-account', 'B', '--to-prefix', 'y/', '--rehydrate', 'high'],
      { target: { container: '{container}-x', account: 'B', prefix: 'y/' }, rehydrate: 'high' },
    ],
    [['--file', 'jobs/x.ndjson.gz'], { file: 'jobs/x.ndjson.gz' }],
    [['--restore-access'], { restoreAccess: true }],
  ])('of %j is one that the API takes', (argv, body) => {
    expect(bodyOf(...argv)).toEqual(body);
    expect(restoreRequestSchema.safeParse(body).success).toBe(true);
  });

  it.each([
    [['a'], 'give it with --container'],
    [['a', '--container', 'b', '--container', 'c'], 'Names are those of one container'],
    [['--point', 'p', '--at', '2026-11-20'], 'Choose one of --point and --at'],
  ])('of %j is refused', (argv, words) => expect(() => bodyOf(...argv)).toThrow(words));
});

describe('a restore', () => {
  it('writes nothing without a yes, shows what it would do, and ends with 7', async () => {
    const { code, stdout, stderr } = await line(['restore', '--container', 'images']);
    expect([code, started('/api/restores')]).toEqual([7, []]);
    expect(stdout).toContain('replaced  images  2026/a.jpg');
    expect(stderr).toContain('Nothing was written. To restore, add --yes.');
  });

  it('shows a name with a line break on one line', async () => {
    const replaced = [{ container: 'images', name: 'a\nNothing was written.' }];
    const { stdout } = await line(['restore'], {}, { ...PREVIEW, examples: { replaced, failed: [] } });
    expect(stdout).toContain('  replaced  images  a\\u000aNothing was written.\n');
  });

  it('starts at once with --yes', async () => {
    const { code } = await line(['restore', '--container', 'images', '--yes']);
    expect(code).toBe(0);
    expect(app!.asked.map(({ url }) => url)).toEqual(['/api/restores']);
    expect(started('/api/restores')).toEqual([{ containers: ['images'], dryRun: false }]);
  });

  it('asks at a terminal, and starts only with a yes', async () => {
    const at = (types: string) => line(['restore', '--container', 'images'], { columns: 100, types });
    expect((await at('n\n')).code).toBe(7);
    expect((await at('\n')).code).toBe(7);
    expect(started('/api/restores')).toEqual([]);
    const { code, stderr } = await at('y\n');
    expect(code).toBe(0);
    expect(stderr).toContain('Restore 13 blobs (4.0 MiB) into SOURCE/images? [y/N]');
    expect(started('/api/restores')).toHaveLength(1);
  });

  it('that replaces many asks for the name of the job', async () => {
    const many = { ...PREVIEW, totals: { ...PREVIEW.totals, replaced: 1001 } };
    const at = (types: string) => line(['restore'], { columns: 100, types }, many);
    expect((await at('y\n')).code).toBe(7);
    expect(started('/api/restores')).toEqual([]);
    expect((await at('nightly\n')).code).toBe(0);
  });

  it.each([
    ['everything is there', { unchanged: 5019, failed: 0 }, 0],
    ['some would fail', { unchanged: 5018, failed: 1 }, 7],
    ['nothing is selected', { items: 0, unchanged: 0, failed: 0 }, 7],
  ])('that has nothing to write asks nothing: %s', async (_, totals, code) => {
    const none = { ...PREVIEW, totals: { ...PREVIEW.totals, new: 0, replaced: 0, ...totals } };
    const found = await line(['restore'], { columns: 100, types: 'y\n' }, none);
    expect([found.code, found.stderr]).toEqual([code, 'There is nothing to write.\n']);
    expect(started('/api/restores')).toEqual([]);
  });

  it('adds up all pages of the preview', async () => {
    let page = 0;
    app = await cannedApp((call) =>
      call.includes('/preview') ? { body: { ...PREVIEW, next: page++ < 2 ? 'more' : null } } : undefined,
    );
    const { stdout } = await line(['restore', '--preview']);
    expect(stdout).toContain('15,057 blobs, 12.0 MiB to copy\n');
    expect(app.asked.map(({ url }) => url.split('?')[1])).toEqual([undefined, 'cursor=more', 'cursor=more']);
  });

  it('with --preview ends with 0 only if nothing is replaced, fails or is left out', async () => {
    const none = { ...PREVIEW, totals: { ...PREVIEW.totals, replaced: 0, failed: 0 } };
    expect((await line(['restore', '--preview'], {}, none)).code).toBe(0);
    await app!.stop();
    app = undefined;
    const leftOut = [{ code: 'target-protected', message: 'protected', hint: 'x' }];
    expect((await line(['restore', '--preview'], {}, { ...none, leftOut })).code).toBe(7);
  });

  it('of tables alone says that entities are not compared, counts no blobs, and ends with 7', async () => {
    const nothing = Object.fromEntries(Object.keys(PREVIEW.totals).map((name) => [name, 0]));
    const tables = [{ table: 'orders', target: 'new', entities: 3 }];
    const ofTables = { ...PREVIEW, totals: nothing, containers: [], tables, examples: { replaced: [], failed: [] } };
    const { code, stdout } = await line(['restore', '--table', 'orders', '--preview'], {}, ofTables);
    expect([code, stdout]).toEqual([
      7,
      expect.stringContaining('table orders to new: 3 entities in the restore point'),
    ]);
    expect(stdout).toMatch(/^Entities are not compared with those in the target: --dry-run --watch/m);
    expect(stdout).not.toContain('blobs');
  });

  it('takes names from a list, and refuses an empty one', async () => {
    const stdin = '\ufeff2026/a.jpg\r\n\n b \n';
    await line(['restore', '--container', 'images', '--names-from', '-', '--yes'], { stdin });
    expect(started('/api/restores')[0].names).toEqual(['2026/a.jpg', ' b ']);
    const empty = await line(['restore', '--container', 'images', '--names-from', '-', '--yes'], { stdin: '\n' });
    expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining('has no name')]);
  });

  it('shows the preview as it came with --json', async () => {
    const { code, stdout } = await line(['restore', '--json']);
    expect([code, stdout]).toEqual([7, JSON.stringify(PREVIEW)]);
  });
});

describe('what has to be said', () => {
  const of = (more: object, totals: object = {}) =>
    questionOf(previewOf([{ ...PREVIEW, ...more, totals: { ...PREVIEW.totals, ...totals } }]));
  const tables = [{ table: 't', target: 't', entities: 1 }];

  it.each([
    ['a few blobs', {}, {}, 'yes'],
    ['1,001 blobs replaced', {}, { replaced: 1001 }, 'name'],
    ['1,001 new blobs', {}, { new: 1001, replaced: 0 }, 'yes'],
    ['tables that may not be there', { tables, existing: 'fail' }, {}, 'yes'],
    ['tables, over what is there', { tables, existing: 'merge' }, {}, 'name'],
    ['more than was counted, over what is there', { next: 'x', existing: 'overwrite' }, {}, 'name'],
    ['more than was counted, beside what is there', { next: 'x', existing: 'skip' }, {}, 'yes'],
  ])('of %s', (_, more, totals, expected) => expect(of(more, totals)).toBe(expected));
});

describe('a prune', () => {
  it('changes nothing without a yes, and says how to carry the plan out', async () => {
    const { code, stdout, stderr } = await line(['prune', 'apply', PLANNED.id]);
    expect([code, started('/api/prunes')]).toEqual([7, []]);
    expect(stdout).toContain('mark   nightly-20260101T233000Z-a1b2c3');
    expect(stderr).toContain(`strongroom prune apply ${PLANNED.id} --hash 3f0c9a52e1b74d86 --yes`);
  });

  it('needs the hash of what was read with --yes', async () => {
    const { code, stderr } = await line(['prune', 'apply', PLANNED.id, '--yes']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--yes needs --hash')]);
  });

  it('sends the hash that was given', async () => {
    expect((await line(['prune', 'apply', PLANNED.id, '--hash', 'abc', '--yes'])).code).toBe(0);
    expect(started('/api/prunes')).toEqual([{ plan: PLANNED.id, hash: 'abc' }]);
  });

  it('asks at a terminal for the name of the job, and sends the hash of what it has shown', async () => {
    const at = (types: string) => line(['prune', 'apply', PLANNED.id], { columns: 100, types });
    expect((await at('y\n')).code).toBe(7);
    expect(started('/api/prunes')).toEqual([]);
    expect((await at('nightly\n')).code).toBe(0);
    expect(started('/api/prunes')).toEqual([{ plan: PLANNED.id, hash: '3f0c9a52e1b74d86' }]);
  });
});
