import { describe, expect, it, test } from 'vitest';
import { EXIT } from '../../../host/exit-codes.ts';
import { parseOptions } from '../../../host/options.ts';

const parse = (...args: string[]) => parseOptions(args, '/work');

test('without options, the host serves at its port and keeps its data in the working directory', () => {
  expect(parse()).toMatchObject({ port: 7071, address: '127.0.0.1', appDirectory: '/work' });
  expect(parse('--once', 'nightly', '--mode', 'full')).toMatchObject({
    port: 0,
    once: { job: 'nightly', mode: 'full' },
  });
});

describe('options that are no clear order', () => {
  it.each([
    [['--once', 'nightly', '--once', 'second'], '--once is given twice. Remove one. --once runs one job'],
    [['--once=nightly', '--once', 'nightly'], '--once is given twice'],
    [['--once', 'nightly', '--mode', 'full', '--mode', 'incremental'], '--mode is given twice'],
    [['--port', '1', '--port', '2'], '--port is given twice'],
    [['--data', 'a', '--data', 'b'], '--data is given twice'],
    [['--app', 'a', '--app', 'b'], '--app is given twice'],
    [['--address', '::1', '--address', '127.0.0.1'], '--address is given twice'],
    [['--help', '--help'], '--help is given twice'],
    [['--data='], '--data has an empty value: is a variable not set?'],
    [['--app', ''], '--app has an empty value'],
    [['--address='], '--address has an empty value'],
    [['--port='], '--port has an empty value'],
    [['--once', ' '], '--once has an empty value'],
    [['--once', 'nightly', '--mode='], '--mode has an empty value'],
  ])('%j is refused before anything starts', (args, words) => {
    expect(() => parse(...args)).toThrow(expect.objectContaining({ name: 'HostError', exitCode: EXIT.usage }));
    expect(() => parse(...args)).toThrow(words);
  });
});
