import { parseArgs } from 'node:util';
import { excerpt } from './excerpt.ts';
import { addCounts, type Played } from './played.ts';

const HELP = `Plays one seed of this proof of Strongroom after another and stops at the first violation.

Usage: npm run prove:again -- PART [options]

  --seeds N      how many seeds to play (100)
  --from N       the first seed (1); the same seed gives the same trace
  --all          continue after a violation, to see how many there are
  --trace        print every step of every seed
  --statistics   print how often each event happened
  --help         print this help

Exit codes: 0 no violation, 1 a violation, 2 wrong options.
`;

/** Plays the seeds that the command line names. A violation sets the exit code and prints what led to it. */
export async function playSeeds(play: (seed: number) => Promise<Played>): Promise<void> {
  let values: ReturnType<typeof parse>;
  try {
    values = parse();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nUse --help to list the options.\n`);
    process.exitCode = 2;
    return;
  }
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const first = values.from;
  const totals: Record<string, number> = {};
  const digests: string[] = [];
  for (let seed = first; seed < first + values.seeds; seed++) {
    const played = await play(seed);
    digests.push(played.digest);
    addCounts(totals, played);
    if (values.trace) console.log(played.trace.join('\n'));
    if (played.violations.length === 0) continue;
    process.exitCode = 1;
    for (const violation of played.violations.slice(0, 5)) {
      console.log(`seed ${seed}: ${violation.promise}: ${violation.message} [${violation.about}]`);
    }
    if (values.all) continue;
    if (!values.trace) for (const line of excerpt(played, played.violations[0]!)) console.log(`  ${line}`);
    break;
  }
  if (values.statistics) console.log(totals);
  console.log(`${digests.length} seeds from ${first}; digest of the last: ${digests.at(-1)?.slice(0, 16)}`);
}

/** Throws an error whose message is for the user. */
function parse() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      all: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      statistics: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return { ...values, seeds: wholeNumber('--seeds', values.seeds), from: wholeNumber('--from', values.from) };
}

function wholeNumber(option: string, value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`${option} ${value}: use a whole number.`);
  return number;
}
