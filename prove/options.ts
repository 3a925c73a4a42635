import { parseArgs } from 'node:util';

export const PARTS = ['model', 'simulation', 'lives', 'archive', 'tables', 'matrix', 'crash', 'planted'] as const;
export type PartName = (typeof PARTS)[number];

export const HELP = `Tries to make Strongroom lose something, in every way we can think of, and says what came of it.

Usage: npm run prove -- [options]

  --night          many times as much: for the hours when nobody waits
  --seed N         where everything random begins (1); the same seed does the same again
  --only PARTS     some of: ${PARTS.join(', ')} (separated by commas)
  --json FILE      also write every figure and violation to FILE
  --help           this text

  model        The copy, lock, take-over and publish protocol as a model, every state of it visited; variants with a
               known mistake must be caught.
  simulation   The real orchestrations and activities on storage in memory, with a simulated clock, scheduler, crashes
               and faults: one seed, one history.
  lives        The same for weeks at a time: backups, restores, verifications, holds and prunes, clocks that leap; every
               restore point that is kept must restore what the source was, and nothing it needs may be deleted.
  archive      Uploads archived as they arrive: every order of the requests of two or three at work on one upload, with every
               fault between them; and many uploads, messages and crashes, by chance.
  tables       Tables written to, dropped and made anew while they are backed up, under faults, by chance; every restore point must
               hold each entity as it was.
  matrix       The real app on an emulator, behind a proxy: every operation of a run with every fault that can befall it.
  crash        The real app killed before and after each of its writes, and started again; activities carried out twice,
               orchestrations terminated.
  planted      The code broken on purpose, one way after another: each must be caught by a test.

Exit codes: 0 nothing was lost and every figure was reached, 1 not so, 2 the options are wrong.
`;

export interface Options {
  help: boolean;
  night: boolean;
  seed: number;
  parts: ReadonlySet<PartName>;
  json?: string;
}

/** Throws a plain message for people. */
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
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed ${values.seed}: give a whole number.`);
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
