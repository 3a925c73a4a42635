import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { HostError, messageOf } from './host-error.ts';

export const HELP = `Runs the backup app on this machine, without Azure: its schedules, its HTTP API, its orchestrations.

Usage: npm start -- [options]

  --port N         port of the HTTP API (7071; 0 takes any free one)
  --address A      address to listen on (127.0.0.1). Any other needs the app setting STRONGROOM_KEY
  --data DIR       where progress is kept (.strongroom). Stopped or killed, it carries on from there
  --once NAME      run one job, or reconcile one archive rule, then end: exit code 0 when
                   it succeeded, 1 when not
  --mode MODE      with --once and a job: full (default) or incremental
  --app DIR        directory of the app's package.json (the working directory)
  --help           this text

Settings come from the environment, then from local.settings.json. strongroom.json names the storage accounts;
when none of them has a setting, an embedded Azurite stands in for them all, with its data in the data directory.

  curl http://127.0.0.1:7071/api/health
  curl -X POST http://127.0.0.1:7071/api/jobs/JOB/runs
  curl -X POST http://127.0.0.1:7071/admin/functions/NAME -d '{}'     fires a timer now

With STRONGROOM_KEY set, send it as the header x-functions-key. Ctrl-C stops; a second one stops at once.
Exit codes: 0 stopped as asked, 1 failed, 2 cannot start as configured, 3 its data is damaged.
`;

export interface Options {
  help: boolean;
  port: number;
  address: string;
  dataDirectory: string;
  appDirectory: string;
  workingDirectory: string;
  once?: { job: string; mode: 'full' | 'incremental' };
}

export function parseOptions(args: string[], workingDirectory: string): Options {
  const { values } = parse(args);
  const port = Number(values.port);
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535) {
    throw new HostError(`--port ${values.port}: a port is a number from 0 to 65535.`);
  }
  const { mode } = values;
  if (mode !== undefined && mode !== 'full' && mode !== 'incremental') {
    throw new HostError(`--mode ${mode}: the mode is full or incremental.`);
  }
  if (mode !== undefined && values.once === undefined) throw new HostError('--mode goes with --once.');
  return {
    help: values.help,
    port,
    address: values.address,
    dataDirectory: resolve(workingDirectory, values.data),
    appDirectory: resolve(workingDirectory, values.app),
    workingDirectory,
    ...(values.once === undefined ? {} : { once: { job: values.once, mode: mode ?? 'full' } }),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: 'string', default: '7071' },
        address: { type: 'string', default: '127.0.0.1' },
        data: { type: 'string', default: '.strongroom' },
        app: { type: 'string', default: '.' },
        once: { type: 'string' },
        mode: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new HostError(`${messageOf(error)}\nSee --help for the options.`);
  }
}
