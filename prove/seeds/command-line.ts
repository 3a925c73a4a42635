import { parseArgs } from 'node:util';
import { excerpt } from './excerpt.ts';
import { addCounts, type Played } from './played.ts';

const HELP = `Plays one seed after another and stops at the first violation.

  --seeds N      how many seeds to play (100)
  --from N       the first seed (1); the same seed gives the same trace
  --all          continue after a violation, to see how many there are
  --trace        print every step of every seed
  --statistics   print how often each event happened
  --help         this text

Exit codes: 0 no violation, 1 a violation.
`;

/** Plays the seeds that the command line names. A violation sets the exit code and prints what led to it. */
export async function playSeeds(play: (seed: number) => Promise<Played>): Promise<void> {
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
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const first = Number(values.from);
  const totals: Record<string, number> = {};
  const digests: string[] = [];
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
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
