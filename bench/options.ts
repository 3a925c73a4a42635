import { parseArgs } from 'node:util';

export const PARTS = ['copy', 'compare', 'restore', 'archive', 'tables', 'memory'] as const;
export type PartName = (typeof PARTS)[number];

export const HELP = `Measures Strongroom beside what you would use instead, on this machine, without Azure.

Usage: npm run bench -- [options]

  --quick          smaller numbers, within about a minute
  --repeat N       measure each thing N times and show medians (1)
  --only PARTS     some of: copy, compare, restore, archive, tables, memory (separated by commas)
  --skip-large     the same as --only copy
  --json FILE      also write every measurement to FILE
  --help           this text

  copy      A first copy, a run with nothing changed, and one with overwritten blobs, on Azurite.
  compare   Client CPU of comparing many unchanged blobs, on a stand-in that only answers listings.
  restore   A restore of many small blobs on Azurite, and a quick verification of many items on the stand-in.
  archive   Uploads told of by a queue: requests, events a second, memory with a backlog; seconds until they are archived.
  tables    Backups and restores of tables beside the plain SDK, on the stand-in; what each keeps of types, on Azurite.
  memory    Peak memory for ten times as many blobs, on the same stand-in.

rclone is measured where it is installed. Requests are counted by the server that answers them.
CPU and peak memory are read from /proc, so they show on Linux only.

To look closer: BENCH_NODE_OPTIONS holds options for the Node that runs Strongroom, such as --cpu-prof;
BENCH_APP names the directory of another build of the app to measure in its place.
`;

export interface Options {
  help: boolean;
  quick: boolean;
  repeat: number;
  parts: ReadonlySet<PartName>;
  json?: string;
}

/** Throws a plain message for people. */
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
    throw new Error(`--repeat ${values.repeat}: give a whole number above 0.`);
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
