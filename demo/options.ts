import { parseArgs } from 'node:util';
import { DemoError } from './demo-error.ts';

export const HELP = `Shows a whole backup on this machine, and checks every byte of it. Takes about two minutes; needs no Azure account.

Usage: npm run demo [-- options]

  --seed N       another collection of the same kind (1)
  --sabotage     spoil some copies before the look at the end, to see that it notices: the demo must then fail
  --help         this text

It starts an embedded Azurite with two storage accounts, fills one with some 3,000 blobs, and lets the real app back it
up: in full, after a day's changes, and once more with nothing changed. It loses a container, and has it given back as it
was on either day. Then it downloads both accounts and compares them. Everything it starts and writes is gone when it ends.

Exit codes: 0 the backup is what it has to be, 1 it is not or the demo failed, 2 wrong options, 130 stopped by Ctrl-C.
`;

export interface Options {
  help: boolean;
  seed: number;
  sabotage: boolean;
}

/** Throws DemoError with what is wrong. */
export function parseOptions(args: string[]): Options {
  const { seed, ...flags } = parse(args);
  if (!/^\d{1,9}$/.test(seed)) throw new DemoError(`--seed ${seed}: the seed is a whole number of up to nine digits.`);
  return { ...flags, seed: Number(seed) };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        help: { type: 'boolean', default: false },
        seed: { type: 'string', default: '1' },
        sabotage: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new DemoError(`${(error as Error).message}\nSee --help for the options.`);
  }
}
