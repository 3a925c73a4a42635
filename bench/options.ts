import { parseArgs } from 'node:util';

export const PARTS = ['copy', 'containers', 'compare', 'restore', 'archive', 'tables', 'memory'] as const;
export type PartName = (typeof PARTS)[number];

export const HELP = `Measures Strongroom beside its alternatives, on this machine and without Azure.

Usage: npm run bench -- [options]

  --quick          use smaller numbers; takes about a minute
  --repeat N       measure everything N times, and show medians (1)
  --only PARTS     run some parts, separated by commas: copy, containers, compare, restore, archive, tables,
                   memory
  --skip-large     the same as --only copy
  --json FILE      also write every measurement to FILE
  --help           print this help

  copy        Copies many blobs, then nothing, then overwritten blobs, on Azurite.
  containers  Copies many small containers: rows of history and turns of orchestrations for each.
  compare     Measures the CPU of comparing many unchanged blobs, on a stand-in server that generates listings.
  restore     Restores many small blobs on Azurite, and verifies many items on the stand-in server.
  archive     Archives uploads from a queue: requests, events per second, memory with a backlog, seconds per upload.
  tables      Backs up and restores tables on the stand-in server, beside the plain SDK; compares types on Azurite.
  memory      Compares peak memory for few and for many blobs, on the stand-in server.

The benchmark measures rclone if it is installed. The server counts the requests that it answers.
CPU and peak memory come from /proc, so only Linux shows them. The docs explain the figures: docs/benchmarks.md.

To look closer, set BENCH_NODE_OPTIONS to options for the Node that runs Strongroom, such as --cpu-prof.
To measure another build of the app, set BENCH_APP to its directory.
`;

export interface Options {
  help: boolean;
  quick: boolean;
  repeat: number;
  parts: ReadonlySet<PartName>;
  json?: string;
}

/** Throws an error whose message is for the user. */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      repeat: { type: 'string', default: '1' },
      only: { type: 'string' },
      'skip-large': { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const repeat = Number(values.repeat);
  if (!Number.isInteger(repeat) || repeat < 1)
    throw new Error(`--repeat ${values.repeat}: use a whole number above 0.`);
  const wanted = values['skip-large'] ? ['copy'] : (values.only?.split(',') ?? [...PARTS]);
  const unknown = wanted.filter((name) => !PARTS.some((part) => part === name));
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(',')}: the parts are ${PARTS.join(', ')}.`);
  return {
    help: values.help,
    quick: values.quick,
    repeat,
    parts: new Set(wanted as PartName[]),
    ...(values.json === undefined ? {} : { json: values.json }),
  };
}
