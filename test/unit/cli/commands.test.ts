import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { OPERATIONS, type OperationId } from '#api/operations.ts';
import { GLOBAL_OPTIONS } from '../../../cli/command/global-options.ts';
import { helpText } from '../../../cli/command/help.ts';
import { parseCommandLine } from '../../../cli/command/parse.ts';
import { COMMANDS } from '../../../cli/commands/index.ts';
import { exitCodeTable } from '../../../host/exit-codes.ts';
import { commandLine } from '../../support/app/command-line.ts';

const cli = join(import.meta.dirname, '../../../cli');
const named = COMMANDS.map((command) => [command.path.join(' '), command] as const);

/** The words of an example, as a shell would split it up to a pipe or a redirection. */
function wordsOf(line: string): string[] {
  const [command = ''] = line.split(/ (?:\||>>?) /);
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
}

describe('the commands', () => {
  test('have names of their own', () => {
    expect(new Set(named.map(([name]) => name)).size).toBe(COMMANDS.length);
  });

  test('take one kind of value for an option of one name, and none of the names of all commands', () => {
    const kinds = new Map<string, boolean>();
    for (const [name, { options = {} }] of named) {
      for (const [option, { takes }] of Object.entries(options)) {
        expect(Object.hasOwn(GLOBAL_OPTIONS, option), `${name} --${option}`).toBe(false);
        expect(kinds.get(option) ?? takes === 'nothing', `${name} --${option}`).toBe(takes === 'nothing');
        kinds.set(option, takes === 'nothing');
      }
    }
  });

  test.each(named)('%s has examples that are command lines of it', (_, { path, examples }) => {
    expect(examples.length).toBeGreaterThan(0);
    for (const [line] of examples) {
      const parsed = parseCommandLine(wordsOf(line), COMMANDS);
      expect(parsed.kind === 'command' && parsed.command.path, line).toEqual(path);
    }
  });

  test.each(named)('%s says what it is for in one sentence without a full stop', (_, { about, options = {} }) => {
    for (const text of [about, ...Object.values(options).map((option) => option.about)]) {
      expect(text).toMatch(/^[^\s].*[^.\s]$/);
    }
  });
});

describe('help', () => {
  it('of everything names every noun, three examples, where the app is, and all exit codes', () => {
    const help = helpText(COMMANDS, COMMANDS);
    for (const [noun] of COMMANDS.map(({ path }) => path)) expect(help).toMatch(new RegExp(`^ {2}${noun} `, 'm'));
    expect(help.match(/^ {2}strongroom /gm)).toHaveLength(3);
    expect(help).toContain(exitCodeTable());
    expect(help).toContain('STRONGROOM_URL');
  });

  it.each(named)('of %s has its options and examples, in lines of at most 120 characters', (_, command) => {
    const help = helpText([command], COMMANDS);
    for (const option of Object.keys(command.options ?? {})) expect(help).toContain(`--${option}`);
    for (const [line] of command.examples) expect(help).toContain(line);
    expect(help.split('\n').filter((line) => line.length > 120)).toEqual([]);
  });

  it('needs no app and no file', async () => {
    expect(await commandLine(['--help'])).toMatchObject({ code: 0, stderr: '' });
    expect(await commandLine(['runs', 'start', '--help'])).toMatchObject({ code: 0, stderr: '' });
  });
});

test('a command line that is wrong ends with 2, and says that nothing was sent', async () => {
  const { code, stdout, stderr } = await commandLine(['runs', 'lsit']);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toBe(
    '"runs" has no verb "lsit". Did you mean "list"? Its verbs: list, show, watch, start, cancel, retry, outcomes.\n' +
      'Nothing was sent.\n',
  );
});

describe('an operation of the API', () => {
  /** Without a command of its own: `strongroom api` sends it, and why that is enough. */
  const RAW: Partial<Record<OperationId, string>> = {
    live: 'a probe of a platform',
    health: 'a probe of a platform',
    healthDetails: 'status and check say more',
    openApi: 'a document for programs',
    rebuildCatalog: 'an operator needs it once, if at all, and a hint names the call',
    checkConfiguration: 'config check has no need of an app; the call checks the settings, too',
    listAccountContainers: 'the page needs it to write a configuration',
    listAccountTables: 'the page needs it to write a configuration',
    showCost: 'runs start shows what a full run costs, and the page the rest',
  };
  const sources = readdirSync(cli, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(cli, name), 'utf8'))
    .join('\n');

  test.each(Object.keys(OPERATIONS) as OperationId[])('%s has a command, or a reason', (id) => {
    const isCalled = sources.includes(`call<'${id}'>`) || (id === 'metrics' && sources.includes("'/api/metrics'"));
    expect(isCalled).toBe(RAW[id] === undefined);
  });
});
