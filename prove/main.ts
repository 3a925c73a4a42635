import { writeFileSync } from 'node:fs';
import { HELP, type Options, PARTS, type PartName, parseOptions } from './options.ts';
import type { PartOptions, PartResult } from './part.ts';
import { holds, showPart } from './report.ts';

/** Parts load one by one, as a part may put a clock of its own into the process. */
const LOAD: Record<PartName, () => Promise<(options: PartOptions) => Promise<PartResult>>> = {
  model: async () => (await import('./parts/model.ts')).proveModel,
  simulation: async () => (await import('./parts/simulation.ts')).proveSimulation,
  lives: async () => (await import('./parts/lives.ts')).proveLives,
  archive: async () => (await import('./parts/archive.ts')).proveArchiving,
  tables: async () => (await import('./parts/tables.ts')).proveTables,
  matrix: async () => (await import('./parts/matrix.ts')).proveMatrix,
  crash: async () => (await import('./parts/crash.ts')).proveCrashes,
  planted: async () => (await import('./parts/planted.ts')).provePlanted,
};

async function main(options: Options): Promise<boolean> {
  const progress = (message: string) => process.stderr.write(`… ${message}\n`);
  const results: (PartResult & { part: PartName; seconds: number })[] = [];
  for (const part of PARTS) {
    if (!options.parts.has(part)) continue;
    progress(part);
    const began = performance.now();
    const result = await (await LOAD[part]())({ seed: options.seed, night: options.night, progress });
    const seconds = (performance.now() - began) / 1000;
    results.push({ part, seconds, ...result });
    process.stdout.write(showPart(result, seconds));
  }
  const failed = results.filter((result) => !holds(result));
  const verdict = failed.length === 0 ? 'all held' : `did not hold: ${failed.map(({ part }) => part).join(', ')}`;
  process.stdout.write(
    `${results.length} ${results.length === 1 ? 'part' : 'parts'}, seed ${options.seed}: ${verdict}\n`,
  );
  if (options.json !== undefined) {
    const { seed, night } = options;
    writeFileSync(options.json, `${JSON.stringify({ seed, night, results }, undefined, 2)}\n`);
  }
  return failed.length === 0;
}

let options: Options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\nUse --help to list the options.\n`);
  process.exit(2);
}
if (options.help) process.stdout.write(HELP);
else process.exit((await main(options)) ? 0 : 1);
