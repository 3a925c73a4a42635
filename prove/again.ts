/** What `npm run prove:again -- PART …` runs. Each loads on its own, as it may put a clock into the process. */
const REPEATABLE: Record<string, () => Promise<unknown>> = {
  simulation: () => import('./simulation/main.ts'),
  lives: () => import('./lives/main.ts'),
  archive: () => import('./archive/main.ts'),
  tables: () => import('./tables/main.ts'),
  matrix: () => import('./matrix/again.ts'),
};

const HELP = `Repeats a violation that npm run prove has found, in one part of the proof of Strongroom.

Usage: npm run prove:again -- PART [options]

  ${Object.keys(REPEATABLE)
    .filter((part) => part !== 'matrix')
    .join(', ')}: plays seeds; PART --help lists the options
  matrix: runs the cells whose names follow

  --help         print this help

Examples:
  npm run prove:again -- simulation --seeds 1 --from 12
  npm run prove:again -- matrix full/control.PutBlob:summary/lost-answer
`;

const part = process.argv[2] ?? '--help';
const load = Object.hasOwn(REPEATABLE, part) ? REPEATABLE[part] : undefined;
if (load) {
  // The part reads what follows its name.
  process.argv.splice(2, 1);
  await load();
} else if (part === '--help') process.stdout.write(HELP);
else {
  process.stderr.write(`"${part}" cannot be repeated. The parts are ${Object.keys(REPEATABLE).join(', ')}.\n`);
  process.exitCode = 2;
}
