import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../cli/command/parse.ts';
import { COMMANDS } from '../../../cli/commands/index.ts';

const parse = (...argv: string[]) => parseCommandLine(argv, COMMANDS);

/** What a command gets. */
function given(...argv: string[]) {
  const parsed = parse(...argv);
  if (parsed.kind !== 'command') throw new Error(`no command: ${parsed.kind}`);
  return { path: parsed.command.path.join(' '), input: parsed.input };
}

describe('a command line', () => {
  it.each([
    [['runs', 'list'], 'runs list', []],
    [['--json', 'runs', 'list'], 'runs list', []],
    [['--url', 'http://127.0.0.1:1', 'runs', 'show', 'x'], 'runs show', ['x']],
    [['context'], 'context', []],
    [['context', 'list'], 'context list', []],
    [['restore', 'list', 'b'], 'restore', ['list', 'b']],
    [['history', 'images', '--', '--help'], 'history', ['images', '--help']],
    [['history', 'images', '--', '-rf'], 'history', ['images', '-rf']],
    [['find', '-q', 'x'], 'find', ['x']],
  ])('%j is the command %s with %j', (argv, path, rest) => {
    const found = given(...argv);
    expect([found.path, found.input.arguments]).toEqual([path, rest]);
  });

  it('has values after a blank or an equal sign, and lists of them', () => {
    const { input } = given('restore', '--include', '**/*.jpg', '--include=-x', '--existing=skip', '--yes');
    expect(input.texts('include')).toEqual(['**/*.jpg', '-x']);
    expect([input.text('existing'), input.has('yes'), input.has('watch')]).toEqual(['skip', true, false]);
  });

  it('has times in the zone of the person, or in UTC', () => {
    const at = (...more: string[]) => given('restore', '--at', ...more).input.text('at');
    expect(at('2026-11-20', '--utc')).toBe('2026-11-20T00:00:00.000Z');
    expect(at('2026-11-20 12:30', '--utc')).toBe('2026-11-20T12:30:00.000Z');
    expect(at('2026-11-20T12:30+01:00')).toBe('2026-11-20T11:30:00.000Z');
    expect(at('2026-11-20')).toBe(new Date(2026, 10, 20).toISOString());
  });

  it('has lengths of time', () => {
    const timeout = (text: string) => given('runs', 'watch', 'x', '--timeout', text).input.count('timeout');
    expect([timeout('90s'), timeout('30m'), timeout('2h'), timeout('1d')]).toEqual([90e3, 1800e3, 7200e3, 86400e3]);
  });
});

describe('a command line that is wrong', () => {
  it.each([
    [[], 'There is no command.'],
    [['rnus', 'list'], 'Did you mean "runs"?'],
    [['runs'], '"runs" needs a verb: list, show'],
    [['runs', 'lsit'], 'Did you mean "list"?'],
    [['prune', 'carry-out', 'x'], 'Its verbs: plan, show, apply'],
    [['runs', 'show'], '"runs show" needs RUN'],
    [['runs', 'show', 'x', 'y'], 'takes no further argument: "y"'],
    [['runs', 'show', ''], 'RUN is empty'],
    [['runs', 'list', '--jbo', 'x'], 'Did you mean "--job"?'],
    [['runs', 'list', '--job'], '--job needs a value: --job JOB'],
    [['runs', 'list', '--job', '--json'], '--job needs a value'],
    [['runs', 'list', '--job', ''], '--job has an empty value'],
    [['runs', 'list', '--json=yes'], '--json takes no value'],
    [['runs', 'list', '--job', 'a', '--job', 'b'], '--job is given twice'],
    [['runs', 'list', '--utc', '--utc'], '--utc is given twice'],
    [['runs', 'list', '-q', '--quiet'], '--quiet is given twice'],
    [['runs', 'list', '--status', 'faild'], 'Did you mean "failed"?'],
    [['runs', 'list', '--limit', '0'], 'a whole number from 1'],
    [['runs', 'list', '--limit', '1e3'], 'a whole number from 1'],
    [['runs', 'list', '--from', 'yesterday'], 'write a time such as'],
    [['runs', 'list', '--from', '2026-02-30'], 'write a time such as'],
    [['runs', 'watch', 'x', '--timeout', '5'], 'a length such as 90s'],
    [['runs', 'list', '--json', '--jsonl'], 'Choose one of --json and --jsonl'],
    [['runs', 'list', '--json', '--columns', 'run'], '--columns has no effect with --json'],
    [['runs', 'show', 'x', '--jsonl'], '"runs show" has no --jsonl'],
    [['metrics', '--json'], '"metrics" has no --json'],
    [['runs', 'list', '--url', 'http://a', '--context', 'b'], 'Choose one of --url and --context'],
    [['runs', 'list', '--key', 'secret-secret-secret'], '--key takes only -'],
    [['runs', 'list', '--key', '-', '--key-file', 'k'], 'Choose one of --key and --key-file'],
    [['restore', '--names-from', '-', '--key', '-'], '--names-from and --key cannot both read standard input'],
    [['completion', 'ksh'], 'SHELL is one of bash, zsh, fish, pwsh'],
    [['api', 'DELETE', '/api/runs'], 'METHOD is one of GET, POST'],
    [['runs', 'list', '-x'], 'has no option -x'],
    [['constructor'], 'There is no command "constructor"'],
    [['runs', 'list', '--__proto__', 'x'], 'has no option --__proto__'],
  ])('%j says why', (argv, words) => {
    expect(() => parse(...argv)).toThrow(expect.objectContaining({ name: 'UsageError', exitCode: 2 }));
    expect(() => parse(...argv)).toThrow(words);
  });

  it('never repeats a key', () => {
    expect(() => parse('runs', 'list', '--key', 'secret-secret-secret')).toThrow(/^(?!.*secret-secret).*$/s);
  });
});

describe('help', () => {
  it.each([
    [['--help'], COMMANDS.length],
    [['help'], COMMANDS.length],
    [['runs', '--help'], 7],
    [['help', 'runs'], 7],
    [['runs', 'list', '-h'], 1],
    [['help', 'prune', 'apply'], 1],
    [['restore', 'x', '--help', '--unknown'], 1],
  ])('%j is about %d commands', (argv, count) => {
    const parsed = parse(...argv);
    expect(parsed.kind === 'help' && parsed.of).toHaveLength(count);
  });

  it('of nothing that is there suggests what is', () => {
    expect(() => parse('help', 'pionts')).toThrow('Did you mean "points"?');
  });
});
