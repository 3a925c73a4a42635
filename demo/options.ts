import { parseArgs } from 'node:util';
import { DemoError } from './demo-error.ts';

export const HELP = `Shows a whole backup with Strongroom on this machine and compares every byte, in about two minutes and without Azure.

Usage: npm run demo -- [options]

  --seed N       fill the source with other blobs of the same kinds; the same number gives the same blobs (1)
  --sabotage     damage seven copies before the comparison at the end, which must notice: the demo then exits with 1
  --help         print this help

The demo starts an embedded Azurite with two storage accounts and fills one with about 3,000 blobs. The real app backs
it up three times: in full, after a day of changes, and with nothing changed. Then the demo

  - deletes a container, and restores both of its days,
  - uploads blobs that an archive rule copies as they arrive,
  - backs up, deletes and restores a table,
  - downloads both accounts, and compares every byte and property without any code of the app.

At the end, it prints the address of the page of the app, which shows all of this in a browser, and waits for Ctrl-C.
Without a terminal, it waits for nothing. Then it stops everything it started and deletes everything it wrote.

Exit codes: 0 no difference, 1 a difference or a failure, 2 wrong options, 130 stopped with Ctrl-C.
`;

export interface Options {
  help: boolean;
  seed: number;
  sabotage: boolean;
}

/** Throws a DemoError that says which option is wrong. */
export function parseOptions(args: string[]): Options {
  const { seed, ...flags } = parse(args);
  if (!/^\d{1,9}$/.test(seed)) throw new DemoError(`--seed ${seed}: use a whole number of up to nine digits.`);
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
    throw new DemoError(`${(error as Error).message}\nUse --help to list the options.`);
  }
}
