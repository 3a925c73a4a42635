import { parseArgs } from 'node:util';
import { excerpt } from '../excerpt.ts';
import { live } from './life.ts';

/** Lives one seed after the other: `node prove/simulation/lives/main.ts --seeds 100 --from 1`. Ends with 1 on a violation. */
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
  const lived = await live(seed);
  digests.push(lived.digest);
  for (const [what, count] of Object.entries(lived.statistics)) totals[what] = (totals[what] ?? 0) + count;
  if (values.trace) console.log(lived.trace.join('\n'));
  if (lived.violations.length === 0) continue;
  process.exitCode = 1;
  for (const violation of lived.violations.slice(0, 5)) {
    console.log(`seed ${seed}: ${violation.promise}: ${violation.message} [${violation.about}]`);
  }
  if (values.all) continue;
  if (!values.trace) for (const line of excerpt(lived, lived.violations[0]!)) console.log(`  ${line}`);
  break;
}
if (values.statistics) console.log(totals);
console.log(`${digests.length} lives from ${first}; digest of the last: ${digests.at(-1)?.slice(0, 16)}`);
