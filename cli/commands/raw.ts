import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT } from '../../host/exit-codes.ts';
import { UsageError } from '../cli-error.ts';
import { type Command, commands } from '../command/command.ts';
import { Refusal } from '../connect/refusal.ts';
import { standardInput } from '../standard-input.ts';
import type { World } from '../world.ts';

const metrics: Command = {
  path: ['metrics'],
  about: 'Print the metrics for Prometheus',
  prints: 'text',
  examples: [['metrics > strongroom.prom', 'for a textfile collector']],
  async run({ api, out }) {
    out.bytes((await api.send('GET', '/api/metrics')).bytes);
    return EXIT.done;
  },
};

const api: Command = {
  path: ['api'],
  about: 'Send any call to the API, and print its answer as it is',
  details:
    'docs/http-api.md lists all calls. An error is printed as it is, too, and has its exit code. PATH may also begin ' +
    'without a slash: api/runs.',
  arguments: [{ name: 'METHOD', oneOf: ['GET', 'POST'] }, { name: 'PATH' }],
  options: {
    body: {
      takes: 'text',
      placeholder: 'JSON',
      completes: 'file',
      about: 'the body; @FILE reads a file, - standard input',
    },
  },
  prints: 'text',
  examples: [
    ['api GET /api/health/details', 'whether every account answers'],
    ['api POST /api/catalog/rebuild', 'rebuild the list of runs from the vault'],
    ['api POST /api/config/check --body @strongroom.json', 'check a file with the settings of the app'],
  ],
  async run(session, input) {
    const body = await bodyOf(input.text('body'), session.world);
    const method = input.argument(0);
    // Git Bash takes an argument that begins with a slash for a file.
    const path = input.argument(1).replace(/^api\//, '/$&');
    if (method === 'GET' && body !== undefined) throw new UsageError('GET has no body. Remove --body, or say POST.');
    try {
      session.out.bytes((await session.api.send(method, path, body ?? (method === 'POST' ? '{}' : undefined))).bytes);
      return EXIT.done;
    } catch (error) {
      if (!(error instanceof Refusal) || error.bytes.length === 0) throw error;
      session.out.bytes(error.bytes);
      return error.exitCode;
    }
  },
};

async function bodyOf(given: string | undefined, world: World): Promise<Uint8Array | string | undefined> {
  if (given === '-') return standardInput(world);
  if (!given?.startsWith('@')) return given;
  try {
    return readFileSync(resolve(world.cwd, given.slice(1)));
  } catch (error) {
    throw new UsageError(`The body cannot be read: ${(error as Error).message}`);
  }
}

export const RAW = commands(metrics, api);
