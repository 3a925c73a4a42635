import { parseArgs } from 'node:util';
import { excerpt } from './excerpt.ts';
import type { Violation } from './witness.ts';

/** What came of a seed. */
export interface Played {
  violations: Violation[];
  trace: string[];
  digest: string;
  statistics: Record<string, number>;
}

/**
 * Plays one seed after the other, as the command line says: `--seeds 100 --from 1`. Ends with 1 on a violation, and shows what
 * came before it.
 */
export async function playSeeds(what: string, play: (seed: number) => Promise<Played>): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      /** Go on after a violation, to see how many there are. */
      all: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      statistics: { type: 'boolean', default: false },
    },
  });
  const first = Number(values.from);
  const totals: Record<string, number> = {};
  const digests: string[] = [];
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    const played = await play(seed);
    digests.push(played.digest);
    for (const [met, count] of Object.entries(played.statistics)) totals[met] = (totals[met] ?? 0) + count;
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
  console.log(`${digests.length} ${what} from ${first}; digest of the last: ${digests.at(-1)?.slice(0, 16)}`);
}
