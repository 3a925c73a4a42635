import { parseArgs } from 'node:util';

export const PARTS = ['model', 'simulation', 'lives', 'archive', 'tables', 'matrix', 'crash', 'planted'] as const;
export type PartName = (typeof PARTS)[number];

export const HELP = `Tries to make Strongroom lose or change something, in every way we know, and reports the results.

Usage: npm run prove -- [options]

  --night          run much more of everything, which takes hours (without it, about three quarters of an hour)
  --seed N         the seed of everything random (1); the same seed repeats the same steps
  --only PARTS     run some parts, separated by commas: ${PARTS.join(', ')}
  --json FILE      also write every figure and violation to FILE
  --help           print this help

  model        Visits every state of a model of the protocol: copy, lock, take-over, publish. It does so again with each
               known mistake, and must find it.
  simulation   Runs the real orchestrations and activities on storage in memory, in virtual time, with crashes, faults
               and other writers. Each seed is one history.
  lives        Does the same for weeks: backups, restores, verifications, holds, prunes, clocks that jump. Every restore
               point that stays must restore the source of its time, and nothing it needs may be deleted.
  archive      Explores the orders of the requests of two or three processes that archive one upload, with a fault
               between any two. Then it plays random weeks of uploads, messages and crashes.
  tables       Backs up tables that are written to, dropped and created again meanwhile, under faults. Every restore
               point must hold each entity as it was.
  matrix       Runs the real app on an emulator, behind a proxy: every operation of a run with every fault that can hit
               it.
  crash        Kills the real app before and after each of its writes, and starts it again. Executes every activity
               twice, and terminates orchestrations.
  planted      Breaks the code on purpose, one small change after another. A test or a seed must catch each change.

Simulation, lives, archive, tables and matrix print the command that repeats a violation. To see its options:

  npm run prove:again -- simulation --help

Exit codes: 0 no violation, and every figure was reached; 1 otherwise; 2 wrong options.
`;

export interface Options {
  help: boolean;
  night: boolean;
  seed: number;
  parts: ReadonlySet<PartName>;
  json?: string;
}

/** Throws an error whose message is for the user. */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      night: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed ${values.seed}: use a whole number.`);
  const wanted = values.only?.split(',') ?? [...PARTS];
  const unknown = wanted.filter((name) => !PARTS.some((part) => part === name));
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(',')}: the parts are ${PARTS.join(', ')}.`);
  return {
    help: values.help,
    night: values.night,
    seed,
    parts: new Set(wanted as PartName[]),
    ...(values.json !== undefined && { json: values.json }),
  };
}
