import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { HELP, type Options, type PartName, parseOptions } from './options.ts';
import { measureArchiving } from './parts/archive.ts';
import { measureComparing } from './parts/compare.ts';
import { measureContainers } from './parts/containers.ts';
import { measureCopying } from './parts/copy.ts';
import { measureMemory } from './parts/memory.ts';
import type { PartOptions, PartResult } from './parts/part.ts';
import { measureRestoring } from './parts/restore.ts';
import { measureTables } from './parts/tables.ts';
import { showPart } from './report.ts';
import { isMet } from './target.ts';

const PARTS: Record<PartName, (options: PartOptions) => Promise<PartResult>> = {
  copy: measureCopying,
  containers: measureContainers,
  compare: measureComparing,
  restore: measureRestoring,
  archive: measureArchiving,
  tables: measureTables,
  memory: measureMemory,
};

/** A missed target is reported and is not a failure, as a busy machine is not a regression. */
async function main(options: Options): Promise<void> {
  const progress = (message: string) => process.stderr.write(`… ${message}\n`);
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const processors = `${cpus().length} × ${cpu?.model.trim()}`;
  const machine = `${process.platform} ${process.arch}, ${processors}, ${memory}, Node ${process.versions.node}`;
  process.stdout.write(`Measured on ${machine}${options.repeat > 1 ? `; medians of ${options.repeat}` : ''}\n`);
  const results: PartResult[] = [];
  for (const [name, measure] of Object.entries(PARTS) as [PartName, (typeof PARTS)[PartName]][]) {
    if (!options.parts.has(name)) continue;
    const result = await measure({ ...options, progress });
    results.push(result);
    process.stdout.write(showPart(result));
  }
  const targets = results.flatMap((result) => result.targets);
  const missed = targets.filter((target) => isMet(target) === false).length;
  process.stdout.write(
    `\n${targets.filter(isMet).length} of ${targets.length} targets met${missed > 0 ? `, ${missed} missed` : ''}.\n`,
  );
  if (options.json !== undefined) {
    writeFileSync(
      options.json,
      `${JSON.stringify({ machine, quick: options.quick, repeat: options.repeat, results }, null, 2)}\n`,
    );
  }
}

let options: Options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\nUse --help to list the options.\n`);
  process.exit(2);
}
if (options.help) process.stdout.write(HELP);
else await main(options);
