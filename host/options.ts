import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCodeTable } from './exit-codes.ts';
import { HostError, messageOf } from './host-error.ts';

export const HELP = `Runs Strongroom on this machine, without Azure: schedules, HTTP API and orchestrations.

Usage: npm start -- [options]

  --port N         port of the HTTP API (default: 7071, with --once any free port; 0 takes any free port)
  --address A      address to listen on (default: 127.0.0.1). Any address that other machines can reach
                   requires the app setting STRONGROOM_KEY
  --data DIR       directory for the progress of runs (default: .strongroom). After a stop or a crash, the host
                   continues from there. The host closes it to other users
  --once NAME      run one job, or reconcile one archive rule, then exit with a code for its result. This starts no
                   schedules and no archiving. A run of NAME that is there already comes first
  --mode MODE      with --once and a job: full or incremental (default: the mode of the job)
  --app DIR        directory with the app's package.json (default: the working directory)
  --help           print this help

Settings come from the environment first, then from local.settings.json. strongroom.json names the storage
accounts. If none of them has a setting, the host uses an embedded Azurite with its data in the data directory.

Examples:
  curl http://127.0.0.1:7071/api/health/details
  curl -X POST http://127.0.0.1:7071/api/jobs/JOB/runs

If STRONGROOM_KEY is set (at least 16 characters), send it in the header x-functions-key.
The host has no TLS: on another address than loopback, the key and all answers can be read on the way. Put the host
behind a proxy that has TLS.
Press Ctrl-C to stop, and again to stop without waiting for running functions.

Exit codes (treat one that you do not know as a failure):
${exitCodeTable()}`;

export interface Options {
  help: boolean;
  port: number;
  address: string;
  dataDirectory: string;
  appDirectory: string;
  workingDirectory: string;
  once?: { job: string; mode: 'full' | 'incremental' | 'configured' };
}

export function parseOptions(args: string[], workingDirectory: string): Options {
  const { values } = parse(args);
  // Several jobs may run at the same time.
  const { port: given = values.once === undefined ? '7071' : '0' } = values;
  const port = Number(given);
  if (!/^\d{1,5}$/.test(given) || port > 65_535) {
    throw new HostError(`--port ${given}: the port must be a number from 0 to 65535.`);
  }
  const { mode } = values;
  if (mode !== undefined && mode !== 'full' && mode !== 'incremental') {
    throw new HostError(`--mode ${mode}: the mode must be full or incremental.`);
  }
  if (mode !== undefined && values.once === undefined) throw new HostError('--mode requires --once.');
  return {
    help: values.help,
    port,
    address: values.address,
    dataDirectory: resolve(workingDirectory, values.data),
    appDirectory: resolve(workingDirectory, values.app),
    workingDirectory,
    ...(values.once === undefined ? {} : { once: { job: values.once, mode: mode ?? 'configured' } }),
  };
}

function parse(args: string[]) {
  const parsed = parsedArgs(args);
  // parseArgs takes the last of several, and an empty path as the working directory: neither may be a guess.
  const given = new Set<string>();
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue;
    const { name, value } = token;
    if (given.has(name)) throw new HostError(`--${name} is given twice. Remove one.${name === 'once' ? ONE_JOB : ''}`);
    if (value?.trim() === '') throw new HostError(`--${name} has an empty value: is a variable not set?`);
    given.add(name);
  }
  return parsed;
}

const ONE_JOB = ' --once runs one job or archive rule: start the host once for each.';

function parsedArgs(args: string[]) {
  try {
    return parseArgs({
      args,
      tokens: true,
      options: {
        port: { type: 'string' },
        address: { type: 'string', default: '127.0.0.1' },
        data: { type: 'string', default: '.strongroom' },
        app: { type: 'string', default: '.' },
        once: { type: 'string' },
        mode: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new HostError(`${messageOf(error)}\nRun npm start -- --help to list the options.`);
  }
}
